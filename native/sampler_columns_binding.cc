#include "sampler_columns_binding.h"

#include <cstring>
#include <initializer_list>
#include <utility>

namespace emberscope {

namespace {

// In a worker that is being ended nothing can be made any more: arrays are then without memory.
template <typename Array, typename T> Array Column(Napi::Env env, const std::vector<T> &values) {
    Array array = Array::New(env, values.size());
    if (!values.empty() && array.Data()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(T));
    return array;
}

template <typename T, typename Get>
Napi::Array Strings(Napi::Env env, const std::vector<T> &values, Get get) {
    Napi::Array array = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); i++)
        array.Set(i, Napi::String::New(env, get(values[i])));
    return array;
}

template <typename Array, typename Get>
Array EventColumn(Napi::Env env, const std::vector<ProcessEvent> &events, Get get) {
    Array array = Array::New(env, events.size());
    for (size_t i = 0; i < events.size() && array.Data(); i++)
        array[i] = get(events[i]);
    return array;
}

Napi::Object Numbers(Napi::Env env, std::initializer_list<std::pair<const char *, uint64_t>> members) {
    Napi::Object object = Napi::Object::New(env);
    for (const auto &[name, value] : members)
        object.Set(name, static_cast<double>(value));
    return object;
}

Napi::Object Pair(Napi::Env env, const char *name, const char *quality) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", name);
    object.Set("quality", quality);
    return object;
}

} // namespace

Napi::Object SamplesToJs(Napi::Env env, const SampleColumns &columns) {
    Napi::Object batch = Napi::Object::New(env);
    batch.Set("stack", Column<Napi::Int32Array>(env, columns.stack));
    batch.Set("pid", Column<Napi::Int32Array>(env, columns.pid));
    batch.Set("tid", Column<Napi::Int32Array>(env, columns.tid));
    batch.Set("timeNs", Column<Napi::Float64Array>(env, columns.time_ns));
    batch.Set("processStartNs", Column<Napi::Float64Array>(env, columns.process_start_ns));
    batch.Set("cgroupId", Column<Napi::Float64Array>(env, columns.cgroup_id));
    batch.Set("comm", Column<Napi::Int32Array>(env, columns.comm));
    batch.Set("comms", Strings(env, columns.comms, [](const std::string &comm) { return comm; }));
    batch.Set("stackEnd", Column<Napi::Uint8Array>(env, columns.stack_end));
    batch.Set("rule", Column<Napi::Uint8Array>(env, columns.rule));
    batch.Set("firstNewStack", columns.first_new_stack);
    batch.Set("newStackPid", Column<Napi::Int32Array>(env, columns.new_stack_pid));
    batch.Set("newStackTimeNs", Column<Napi::Float64Array>(env, columns.new_stack_time_ns));
    batch.Set("newStackKernelFrames", Column<Napi::Int32Array>(env, columns.new_stack_kernel_frames));
    batch.Set("newStackStart", Column<Napi::Int32Array>(env, columns.new_stack_start));
    batch.Set("frames", Column<Napi::Float64Array>(env, columns.frames));
    return batch;
}

Napi::Object EventsToJs(Napi::Env env, const std::vector<ProcessEvent> &events) {
    using Event = const ProcessEvent &;
    Napi::Object batch = Napi::Object::New(env);
    batch.Set("kind", EventColumn<Napi::Uint8Array>(env, events,
                                                    [](Event e) { return static_cast<uint8_t>(e.kind); }));
    batch.Set("pid", EventColumn<Napi::Int32Array>(env, events, [](Event e) { return e.pid; }));
    batch.Set("tid", EventColumn<Napi::Int32Array>(env, events, [](Event e) { return e.tid; }));
    batch.Set("extra", EventColumn<Napi::Int32Array>(env, events, [](Event e) { return e.extra; }));
    batch.Set("timeNs", EventColumn<Napi::Float64Array>(
                            env, events, [](Event e) { return static_cast<double>(e.time_ns); }));
    batch.Set("start", EventColumn<Napi::Float64Array>(env, events, [](Event e) {
                  return static_cast<double>(static_cast<int64_t>(e.start));
              }));
    batch.Set("end", EventColumn<Napi::Float64Array>(env, events, [](Event e) {
                  return static_cast<double>(static_cast<int64_t>(e.end));
              }));
    batch.Set("fileOffset", EventColumn<Napi::Float64Array>(
                                env, events, [](Event e) { return static_cast<double>(e.file_offset); }));
    batch.Set("name", Strings(env, events, [](Event e) { return e.name; }));
    batch.Set("buildId", Strings(env, events, [](Event e) { return e.build_id; }));
    return batch;
}

Napi::Value CountersToJs(Napi::Env env, const std::vector<double> &counters) {
    return Column<Napi::Float64Array>(env, counters);
}

Napi::Object BpfStatsToJs(Napi::Env env, const BpfStats &stats) {
    return Numbers(env, {{"runs", stats.runs}, {"timeNs", stats.time_ns}});
}

Napi::Object DrainedBytesToJs(Napi::Env env, const Sampler &sampler) {
    return Numbers(env,
                   {{"samples", sampler.drained_samples()}, {"rawStacks", sampler.drained_raw_stacks()}});
}

Napi::Object UnwindStatsToJs(Napi::Env env, const UnwindStats &stats, uint64_t map_bytes) {
    Napi::Object object = Napi::Object::New(env);
    const TrackerStats &tracker = stats.tracker;
    object.Set("tracker", Numbers(env, {{"processes", tracker.processes},
                                        {"files", tracker.files},
                                        {"unreadableFiles", tracker.unreadable_files},
                                        {"published", tracker.published},
                                        {"rescans", tracker.rescans},
                                        {"lostEvents", tracker.lost_events}}));
    const TableStats &tables = stats.tables;
    object.Set("tables", Numbers(env, {{"mapBytes", map_bytes},
                                       {"bytes", tables.kernel_bytes},
                                       {"bytesMax", tables.kernel_bytes_max},
                                       {"shardBytes", tables.shard_bytes},
                                       {"pages", tables.pages},
                                       {"evicted", tables.evicted},
                                       {"refused", tables.refused},
                                       {"rules", tables.rules},
                                       {"mappingTables", tables.mapping_tables}}));
    const LoaderStats &loader = stats.loader;
    object.Set("loader", Numbers(env, {{"parsed", loader.parsed},
                                       {"fromCache", loader.from_cache},
                                       {"failed", loader.failed},
                                       {"refused", loader.refused},
                                       {"written", loader.written},
                                       {"notWritten", loader.not_written},
                                       {"bytes", loader.bytes}}));
    const RawStats &raw = stats.raw;
    object.Set("raw", Numbers(env, {{"finished", raw.finished},
                                    {"parked", raw.parked},
                                    {"parkedBytes", raw.parked_bytes},
                                    {"unmatched", raw.unmatched},
                                    {"overflowed", raw.overflowed}}));
    object.Set("note", stats.note);
    return object;
}

Napi::Object AbiToJs(Napi::Env env) {
    Napi::Object abi = Napi::Object::New(env);
    Napi::Array ends = Napi::Array::New(env), counters = Napi::Array::New(env), kinds = Napi::Array::New(env);
#define ADD_END(id, name, quality) ends.Set(ends.Length(), Pair(env, name, quality));
#define ADD_COUNTER(id, name) counters.Set(counters.Length(), name);
#define ADD_KIND(id, name) kinds.Set(kinds.Length(), name);
    STACK_ENDS(ADD_END)
    COUNTERS(ADD_COUNTER)
    EVENT_KINDS(ADD_KIND)
    abi.Set("version", ABI_VERSION);
    abi.Set("stackEnds", ends);
    abi.Set("counters", counters);
    abi.Set("eventKinds", kinds);
    return abi;
}

} // namespace emberscope
