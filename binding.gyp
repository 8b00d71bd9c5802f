{
  "target_defaults": {
    "cflags_cc!": ["-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-fno-exceptions"],
    "cflags!": ["-fno-omit-frame-pointer", "-Wno-unused-parameter"],
    "cflags": ["-O2"]
  },
  "targets": [
    {
      "target_name": "addon",
      "sources": [
        "native/addon.cc",
        "native/sampler_binding.cc",
        "native/sampler_columns_binding.cc",
        "native/sampler_options_binding.cc",
        "native/sampler.cc",
        "native/timers.cc",
        "native/bpf_programs.cc",
        "native/kernel_features.cc",
        "native/tables/bpf_table_memory.cc",
        "native/unwind/stages.cc",
        "native/unwind/raw_queue.cc",
        "native/unwind/user_unwind.cc",
        "native/sideband.cc",
        "native/record_decode.cc",
        "native/symbols_binding.cc",
        "native/cfi_binding.cc",
        "native/cfi/architecture.cc",
        "native/cfi/cfa_expression.cc",
        "native/cfi/cfa_program.cc",
        "native/cfi/cie.cc",
        "native/cfi/code_coverage.cc",
        "native/cfi/context_start.cc",
        "native/cfi/cursor.cc",
        "native/cfi/entry_point.cc",
        "native/cfi/file_rows.cc",
        "native/cfi/frame_rule.cc",
        "native/cfi/frame_section.cc",
        "native/cfi/frame_table.cc",
        "native/cfi/function_index.cc",
        "native/cfi/go_functions.cc",
        "native/cfi/go_rows.cc",
        "native/cfi/pointer.cc",
        "native/cfi/row_source.cc",
        "native/cfi/unpack_section.cc",
        "native/elf_file.cc",
        "native/elf_gomodule.cc",
        "native/elf_gopclntab.cc",
        "native/elf_symbols.cc",
        "native/elf_dynamic.cc",
        "native/elf_plt.cc",
        "native/elf_debugdata.cc",
        "native/elf_resolve.cc",
        "native/debug_files.cc",
        "native/file_reader.cc",
        "native/own_pages.cc",
        "native/pause_meter_binding.cc",
        "native/tables/arena.cc",
        "native/tables/cache_format.cc",
        "native/tables/extents.cc",
        "native/tables/idle_thread.cc",
        "native/tables/kept_pages.cc",
        "native/tables/open_files.cc",
        "native/tables/page_loader.cc",
        "native/tables/row_cache.cc",
        "native/tables/row_check.cc",
        "native/tables/rule_table.cc",
        "native/tables/table_store.cc",
        "native/track/boot_clock.cc",
        "native/track/file_table.cc",
        "native/track/image.cc",
        "native/track/mapped_file.cc",
        "native/track/proc_reader.cc",
        "native/track/process_images.cc",
        "native/track/publisher.cc",
        "native/track/tracker.cc",
        "native/track/tracker_events.cc",
        "native/track/tracker_learn.cc",
        "native/text_lines.cc",
        "native/text_symbols.cc"
      ],
      "include_dirs": [
        "<!@(node -p \"require('node-addon-api').include\")",
        "native",
        "bpf",
        "bpf/.output"
      ],
      # A worker that is being terminated takes no exception; without the last define that ends the whole process.
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      # g++ 12 sees overflows in inlined insertions into vectors that cannot happen.
      "cflags": ["-Wno-missing-field-initializers", "-Wno-stringop-overflow", "-Wno-array-bounds"],
      # The release puts the shared libraries beside the addon. An old-style RPATH, because libbpf's own need of libelf
      # must be found there too, and a RUNPATH does not reach that far.
      "libraries": ["-lbpf", "-lz", "-llzma", "-Wl,--disable-new-dtags,-rpath,'$$ORIGIN'"]
    },
    {
      "target_name": "symbolizer",
      "type": "executable",
      "sources": [
        "native/symbolizer/main.cc",
        "native/symbolizer/sandbox.cc",
        "native/symbolizer/protocol.cc",
        "native/symbolizer/debug_data.cc",
        "native/symbolizer/dwarf_lines.cc",
        "native/symbolizer/function_name.cc",
        "native/symbolizer/unit_functions.cc",
        "native/symbolizer/demangle.cc"
      ],
      "cflags_cc": ["-isystem <!(llvm-config-19 --includedir)", "-fno-rtti"],
      "ldflags": ["-s", "-Wl,--gc-sections"],
      "defines": ["__STDC_CONSTANT_MACROS", "__STDC_FORMAT_MACROS", "__STDC_LIMIT_MACROS"],
      "libraries": [
        "<!@(llvm-config-19 --link-static --ldflags --libs DebugInfoDWARF Object Demangle Support)",
        "-static-libstdc++", "-static-libgcc",
        "-l:libzstd.a", "-l:libz.a", "-lpthread", "-ldl", "-lm"
      ]
    }
  ]
}
