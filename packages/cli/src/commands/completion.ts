import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../context.ts';

/** Each asks this program itself (`countersign __complete`) what may follow. */
const SCRIPTS = {
  bash: `_countersign() {
  local IFS=$'\\n'
  COMPREPLY=( $(countersign __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1) )
}
complete -o default -F _countersign countersign
`,
  zsh: `#compdef countersign
_countersign() {
  local -a proposals
  local line
  while IFS=$'\\t' read -r name brief; do
    proposals+=("\${name//:/\\\\:}:\${brief}")
  done < <(countersign __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#proposals} )); then _describe 'countersign' proposals; else _files; fi
}
compdef _countersign countersign
`,
  fish: `function __countersign_complete
  set -l words (commandline -opc) (commandline -ct)
  countersign __complete -- $words[2..-1] 2>/dev/null
end
complete -c countersign -a '(__countersign_complete)'
`,
} as const;

type Shell = keyof typeof SCRIPTS;

export const completion: Command<CliContext> = buildCommand<Record<never, never>, [Shell], CliContext>({
  func(_flags, shell) {
    this.host.stdout.write(SCRIPTS[shell]);
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'bash, zsh or fish',
          placeholder: 'SHELL',
          parse(text: string): Shell {
            if (Object.hasOwn(SCRIPTS, text)) return text as Shell;
            throw new Error('There are scripts for bash, zsh and fish.');
          },
          proposeCompletions: (partial: string) =>
            Object.keys(SCRIPTS).filter((name) => name.startsWith(partial)),
        },
      ],
    },
  },
  docs: {
    brief: 'Print the completion script of a shell',
    customUsage: [
      { input: 'bash > /etc/bash_completion.d/countersign', brief: 'bash' },
      { input: 'zsh > "${fpath[1]}/_countersign"', brief: 'zsh' },
      { input: 'fish > ~/.config/fish/completions/countersign.fish', brief: 'fish' },
    ],
  },
});
