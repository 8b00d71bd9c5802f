/**
 * Completion scripts for bash, zsh and fish, made from the option table so that they never lag behind it. Targets
 * complete from /proc inside the shell: no program of ours has to start for a key press.
 */
import { flagOf, KEYS, type KeySpec } from '../../config/schema.ts'
import { COMMANDS, OPTIONS, type OptionSpec, SHELLS, type Shell } from '../options.ts'

/** The named commands; `record` has no name. */
const NAMED = COMMANDS.filter((command) => command !== 'record')

/** Options whose value is a file, a directory or a name of a running thread. */
const FILE_OPTIONS = ['output', 'config']
const DIRECTORY_OPTIONS = ['cgroup']
const NAME_OPTIONS = ['comm']
/** Commands whose operands are files. */
const FILE_COMMANDS = ['open', 'export', 'diff']

/** Flags of the agent: its own, and the keys of its configuration. */
const AGENT_FLAGS = [
  'config',
  'print-config',
  'check',
  'page',
  'help',
  ...KEYS.map(({ path }) => flagOf(path)),
]
const AGENT_WORDS = AGENT_FLAGS.map((flag) => `--${flag}`).join(' ')

/** The script to source, or to install where the shell looks for completions. */
export function completionScript(shell: Shell): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell]()
}

function spellings(options: readonly OptionSpec[]): string[] {
  return options.flatMap((o) => [`--${o.name}`, ...(o.short === '' ? [] : [`-${o.short}`])])
}

function named(names: readonly string[]): string {
  return spellings(OPTIONS.filter((o) => names.includes(o.name))).join('|')
}

function otherValues(): string {
  const known = [...FILE_OPTIONS, ...DIRECTORY_OPTIONS, ...NAME_OPTIONS]
  return spellings(OPTIONS.filter((o) => o.value !== '' && !known.includes(o.name))).join('|')
}

function bashScript(): string {
  return `# bash completion for profile; install: profile completion bash > /etc/bash_completion.d/profile
_profile_targets() {
  local directory name
  for directory in /proc/[0-9]*; do
    printf '%s\\n' "\${directory#/proc/}"
    { read -r name < "$directory/comm"; } 2>/dev/null && printf '%s\\n' "$name"
  done | sort -u
}
_profile_options() {
  printf '%s\\n' ${spellings(OPTIONS).join(' ')}
}
_profile() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} i IFS=$'\\n'
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      if ((i == COMP_CWORD - 1)); then COMPREPLY=($(compgen -c -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi
      return
    fi
  done
  if [[ \${COMP_WORDS[1]} == agent && $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(printf '%s\\n' ${AGENT_WORDS})" -- "$word"))
    return
  fi
  case $before in
    ${named(FILE_OPTIONS)}) COMPREPLY=($(compgen -f -- "$word")); return ;;
    ${named(DIRECTORY_OPTIONS)}) COMPREPLY=($(compgen -d -- "$word")); return ;;
    ${named(NAME_OPTIONS)}) COMPREPLY=($(compgen -W "$(_profile_targets)" -- "$word")); return ;;
    ${otherValues()}) return ;;
    completion) COMPREPLY=($(compgen -W "$(printf '%s\\n' ${SHELLS.join(' ')})" -- "$word")); return ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(_profile_options)" -- "$word"))
  elif [[ \${COMP_WORDS[1]} =~ ^(${FILE_COMMANDS.join('|')})$ ]] && ((COMP_CWORD > 1)); then
    COMPREPLY=($(compgen -f -- "$word"))
  else
    COMPREPLY=($(compgen -W "$( ((COMP_CWORD == 1)) && printf '%s\\n' ${NAMED.join(' ')}; _profile_targets)" -- "$word"))
  fi
}
complete -o filenames -F _profile profile
`
}

function zshScript(): string {
  const quoted = (text: string): string => text.replace(/'/g, "'\\''").replace(/[[\]:]/g, '\\$&')
  const action = (o: OptionSpec): string => {
    if (o.value === '') return ''
    if (FILE_OPTIONS.includes(o.name)) return `:${o.value}:_files`
    if (DIRECTORY_OPTIONS.includes(o.name)) return `:${o.value}:_files -/`
    return NAME_OPTIONS.includes(o.name) ? `:${o.value}:_profile_targets` : `:${o.value}: `
  }
  const rows = OPTIONS.flatMap((o) =>
    spellings([o]).map((word) => `    '*${word}[${quoted(o.help)}]${action(o)}'`),
  )
  return `#compdef profile
# zsh completion for profile; install: profile completion zsh > "\${fpath[1]}/_profile"
_profile_targets() {
  local -a targets
  local directory name
  for directory in /proc/[0-9]*(N); do
    targets+=("\${directory#/proc/}")
    { read -r name < "$directory/comm" && targets+=("$name") } 2>/dev/null
  done
  compadd -a targets
}
_profile_words() {
  if ((CURRENT == 2)); then compadd ${NAMED.join(' ')}; fi
  case $words[2] in
    ${FILE_COMMANDS.join('|')}) ((CURRENT > 2)) && _files ;;
    completion) ((CURRENT > 2)) && compadd ${SHELLS.join(' ')} ;;
    *) _profile_targets ;;
  esac
}
_profile() {
  if ((\${words[(I)--]} > 0 && \${words[(I)--]} < CURRENT)); then
    shift words[1,\${words[(i)--]}-1]
    ((CURRENT = \${#words}))
    _normal
    return
  fi
  if [[ $words[2] == agent && $words[CURRENT] == -* ]]; then
    compadd -- ${AGENT_WORDS}
    return
  fi
  _arguments -s \\
${rows.join(' \\\n')} \\
    '*:target:_profile_words'
}
if [[ $funcstack[1] == _profile ]]; then _profile "$@"; else compdef _profile profile; fi
`
}

function fishScript(): string {
  const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
  const rows = OPTIONS.map((o) => {
    const short = o.short === '' ? '' : ` -s ${o.short}`
    return `complete -c profile${short} -l ${o.name}${fishValue(o)} -d ${quoted(o.help)}`
  })
  const agentRow = ({ path, help }: KeySpec): string =>
    `complete -c profile -n '__fish_seen_subcommand_from agent' -l ${flagOf(path)} -x -d ${quoted(help)}`
  return `# fish completion for profile; install: profile completion fish > ~/.config/fish/completions/profile.fish
function __profile_targets
    for directory in /proc/[0-9]*
        string replace /proc/ '' $directory
        cat $directory/comm 2>/dev/null
    end | sort -u
end
function __profile_first
    test (count (commandline -opc)) -eq 1
end
complete -c profile -f
complete -c profile -n __profile_first -a '${NAMED.join(' ')}'
complete -c profile -n 'not __fish_seen_subcommand_from ${FILE_COMMANDS.join(' ')} completion' -a '(__profile_targets)'
complete -c profile -n '__fish_seen_subcommand_from ${FILE_COMMANDS.join(' ')}' -F
complete -c profile -n '__fish_seen_subcommand_from completion' -a '${SHELLS.join(' ')}'
${rows.join('\n')}
${KEYS.map(agentRow).join('\n')}
`
}

function fishValue(option: OptionSpec): string {
  if (option.value === '') return ''
  if (FILE_OPTIONS.includes(option.name)) return ' -r -F'
  if (DIRECTORY_OPTIONS.includes(option.name)) return " -x -a '(__fish_complete_directories)'"
  return NAME_OPTIONS.includes(option.name) ? " -x -a '(__profile_targets)'" : ' -x'
}
