/**
 * Completion scripts for bash, zsh, fish and PowerShell. Takes the table of commands, gives the text of a script that
 * needs nothing but the shell.
 */

/** The part of a command record that completion reads. */
export interface Completable {
  /** `run`, or `rules check` for a command of a group. */
  readonly name: string
  readonly says: string
  readonly options: readonly {
    readonly flags: string
    readonly says: string
    readonly values?: readonly string[]
  }[]
}

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const
export type Shell = (typeof SHELLS)[number]

interface Flag {
  /** `-q` and `--quiet`. */
  readonly names: readonly string[]
  readonly says: string
  readonly takesValue: boolean
  readonly values: readonly string[]
}

interface Leaf {
  readonly words: readonly string[]
  readonly says: string
  readonly flags: readonly Flag[]
}

function flagOf(option: Completable['options'][number]): Flag {
  return {
    names: option.flags.match(/(?<![\w-])--?[a-zA-Z][\w-]*/g) ?? [],
    says: option.says,
    takesValue: /[<[]/.test(option.flags),
    values: option.values ?? [],
  }
}

const HELP: Flag = { names: ['-h', '--help'], says: 'show help', takesValue: false, values: [] }

function leavesOf(commands: readonly Completable[]): readonly Leaf[] {
  return commands.map(({ name, says, options }) => ({
    words: name.split(' '),
    says,
    flags: [...options.map(flagOf), HELP],
  }))
}

interface Word {
  readonly word: string
  readonly says: string
}

/** The words that may follow a path of words, each once. */
function wordsAfter(leaves: readonly Leaf[], path: readonly string[]): readonly Word[] {
  const found = new Map<string, Word>()
  for (const leaf of leaves) {
    const word = leaf.words[path.length]
    if (word === undefined || !path.every((each, index) => each === leaf.words[index])) continue
    const isLast = leaf.words.length === path.length + 1
    if (!found.has(word)) found.set(word, { word, says: isLast ? leaf.says : `${word} commands` })
  }
  return [...found.values()]
}

function groupsOf(leaves: readonly Leaf[]): readonly string[] {
  return [...new Set(leaves.flatMap(({ words }) => (words.length > 1 ? words.slice(0, 1) : [])))]
}

/** A text in single quotes as bash and zsh read it. */
function shQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function bash(leaves: readonly Leaf[]): string {
  const groups = groupsOf(leaves)
  const cases: string[] = []
  for (const leaf of leaves) {
    const key = leaf.words.join(' ')
    const flags = leaf.flags.flatMap(({ names }) => names).join(' ')
    const values = leaf.flags
      .filter((flag) => flag.takesValue)
      .map((flag) => {
        const pattern = flag.names.join('|')
        return flag.values.length > 0
          ? `        ${pattern}) COMPREPLY=($(compgen -W ${shQuote(flag.values.join(' '))} -- "$cur")); return ;;`
          : `        ${pattern}) compopt -o default 2>/dev/null; COMPREPLY=(); return ;;`
      })
    cases.push(
      `    ${shQuote(key)})`,
      ...(values.length > 0 ? ['      case "$prev" in', ...values, '      esac'] : []),
      `      flags=${shQuote(flags)} ;;`,
    )
  }
  const words = (path: readonly string[]): string =>
    shQuote(
      wordsAfter(leaves, path)
        .map(({ word }) => word)
        .join(' '),
    )
  return `# bash completion for harrier; add to ~/.bashrc: eval "$(harrier completion bash)"
_harrier() {
  local cur prev path flags
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${words([])} -- "$cur")); return
  fi
  path="\${COMP_WORDS[1]}"
  case "$path" in
${groups
  .map(
    (group) => `    ${shQuote(group)})
      if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W ${words([group])} -- "$cur")); return; fi
      path="$path \${COMP_WORDS[2]}" ;;`,
  )
  .join('\n')}
  esac
  flags='--help'
  case "$path" in
${cases.join('\n')}
  esac
  if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur")); return; fi
  compopt -o default 2>/dev/null
}
complete -F _harrier harrier
`
}

/** A description inside an `_arguments` or `_describe` item of zsh. */
function zshText(text: string): string {
  return text.replace(/([[\]:\\])/g, '\\$1')
}

function zshFlag(flag: Flag): string {
  const action = flag.takesValue
    ? `:value:${flag.values.length > 0 ? `(${flag.values.join(' ')})` : '_files'}`
    : ''
  const says = zshText(flag.says)
  const [first = '', second] = flag.names
  return second === undefined
    ? shQuote(`*${first}[${says}]${action}`)
    : `${shQuote(`(${first} ${second})`)}{${first},${second}}${shQuote(`[${says}]${action}`)}`
}

function zshDescribe(words: readonly Word[]): string {
  return words.map(({ word, says }) => shQuote(`${word}:${zshText(says)}`)).join(' ')
}

function zsh(leaves: readonly Leaf[]): string {
  const groups = groupsOf(leaves)
  const branch = (leaf: Leaf): string =>
    `    ${shQuote(leaf.words.join(' '))}) _arguments ${[...leaf.flags.map(zshFlag), "'*:file:_files'"].join(' ')} ;;`
  return `#compdef harrier
# zsh completion for harrier; add to ~/.zshrc: eval "$(harrier completion zsh)"
_harrier() {
  local -a items
  local path_words="$words[2]" shift_by=1
  if (( CURRENT == 2 )); then
    items=(${zshDescribe(wordsAfter(leaves, []))})
    _describe command items; return
  fi
  case "$path_words" in
${groups
  .map(
    (group) => `    ${shQuote(group)})
      if (( CURRENT == 3 )); then
        items=(${zshDescribe(wordsAfter(leaves, [group]))})
        _describe command items; return
      fi
      path_words="$words[2] $words[3]"; shift_by=2 ;;`,
  )
  .join('\n')}
  esac
  shift $shift_by words
  (( CURRENT -= shift_by ))
  case "$path_words" in
${leaves.map(branch).join('\n')}
  esac
}
if [ "$funcstack[1]" = _harrier ]; then _harrier "$@"; else compdef _harrier harrier; fi
`
}

/** A text in single quotes as fish reads it. */
function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

function fishFlag(condition: string, flag: Flag): string {
  const names = flag.names
    .map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
    .join(' ')
  const value = flag.takesValue
    ? flag.values.length > 0
      ? ` -x -a ${fishQuote(flag.values.join(' '))}`
      : ' -r -F'
    : ''
  return `complete -c harrier -n ${fishQuote(condition)} ${names}${value} -d ${fishQuote(flag.says)}`
}

function fish(leaves: readonly Leaf[]): string {
  const lines = ['# fish completion for harrier; save as ~/.config/fish/completions/harrier.fish']
  for (const { word, says } of wordsAfter(leaves, [])) {
    lines.push(
      `complete -c harrier -n __fish_use_subcommand -f -a ${fishQuote(word)} -d ${fishQuote(says)}`,
    )
  }
  for (const group of groupsOf(leaves)) {
    const words = wordsAfter(leaves, [group])
    const names = words.map(({ word }) => word).join(' ')
    for (const { word, says } of words) {
      const condition = `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${names}`
      lines.push(
        `complete -c harrier -n ${fishQuote(condition)} -f -a ${fishQuote(word)} -d ${fishQuote(says)}`,
      )
    }
  }
  for (const leaf of leaves) {
    const condition = leaf.words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
    for (const flag of leaf.flags) lines.push(fishFlag(condition, flag))
  }
  return `${lines.join('\n')}\n`
}

/** A text in single quotes as PowerShell reads it; its typographic quotes close a string too. */
function psQuote(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`
}

function powershell(leaves: readonly Leaf[]): string {
  // The comma keeps a list of one pair from being unrolled to its two texts.
  const items = (words: readonly Word[]): string =>
    (words.length === 1 ? ',' : '') +
    words.map(({ word, says }) => `@(${psQuote(word)}, ${psQuote(says)})`).join(', ')
  const groups = groupsOf(leaves)
  const entries = [
    `    '' = @(${items(wordsAfter(leaves, []))})`,
    ...groups.map((group) => `    ${psQuote(group)} = @(${items(wordsAfter(leaves, [group]))})`),
    ...leaves.map((leaf) => {
      const flags = leaf.flags.flatMap(({ names, says }) => names.map((word) => ({ word, says })))
      return `    ${psQuote(leaf.words.join(' '))} = @(${items(flags)})`
    }),
  ]
  const values = leaves.flatMap((leaf) =>
    leaf.flags
      .filter((flag) => flag.values.length > 0)
      .flatMap((flag) =>
        flag.names.map(
          (name) =>
            `    ${psQuote([...leaf.words, name].join(' '))} = @(${flag.values.map(psQuote).join(', ')})`,
        ),
      ),
  )
  return `# PowerShell completion for harrier; add to $PROFILE: harrier completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName harrier -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $items = @{
${entries.join('\n')}
  }
  $values = @{
${values.join('\n')}
  }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
  if ($wordToComplete -ne '' -and $words.Count -gt 0) { $words = @($words | Select-Object -SkipLast 1) }
  $path = ''
  foreach ($word in $words) {
    if ($word.StartsWith('-')) { break }
    $next = "$path $word".Trim()
    if ($items.ContainsKey($next)) { $path = $next } else { break }
  }
  $last = if ($words.Count -gt 0) { $words[-1] } else { '' }
  $known = $values["$path $last"]
  if ($null -ne $known) {
    $known | Where-Object { $_ -like "$wordToComplete*" } |
      ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
    return
  }
  $items[$path] | Where-Object { $_[0] -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
`
}

/** The completion script of a shell for a table of commands. */
export function completionScript(shell: Shell, commands: readonly Completable[]): string {
  const leaves = leavesOf(commands)
  switch (shell) {
    case 'bash':
      return bash(leaves)
    case 'zsh':
      return zsh(leaves)
    case 'fish':
      return fish(leaves)
    case 'powershell':
      return powershell(leaves)
  }
}
