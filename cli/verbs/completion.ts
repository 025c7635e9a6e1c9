/** `weft completion`: a script for a shell, made from the tree of verbs itself, so that it cannot fall behind. */
import { Argument, type Command, type Option } from 'commander';
import type { Context } from '../context.ts';
import { createProgram } from '../program.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** The words and options that may follow one path of commands. */
interface Place {
  /** The words before, without the program's name; empty at the top. */
  readonly path: string;
  readonly words: readonly string[];
  readonly options: readonly string[];
}

export function addVerb(program: Command, context: Context): void {
  program
    .command('completion')
    .description('print completion for a shell, e.g. source <(weft completion bash)')
    .addArgument(new Argument('<shell>', 'which').choices(shells))
    .action(async (shell: Shell) => {
      const { command } = await createProgram(undefined, context.streams, () => context.loadDaemon());
      const places = placesOf(command, '');
      context.streams.out(shell === 'fish' ? fishText(places) : bashText(places, shell));
    });
}

function placesOf(command: Command, path: string): Place[] {
  const words = command.commands.map((sub) => sub.name());
  const own: Place = { path, words, options: command.options.map(longOf) };
  return [own, ...command.commands.flatMap((sub) => placesOf(sub, `${path} ${sub.name()}`.trim()))];
}

function longOf(option: Option): string {
  return option.long ?? option.short ?? option.flags;
}

/** zsh takes bash's completion functions after bashcompinit. */
function bashText(places: readonly Place[], shell: Shell): string {
  const globals = places.find(({ path }) => path === '')?.options ?? [];
  const cases = places.map(({ path, words, options }) => {
    const all = [...new Set([...words, ...options, ...globals, '--help'])];
    return `    "${path}") words="${all.join(' ')}" ;;\n`;
  });
  const known = places.map(({ path }) => `"${path}"`).join('|');
  return `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_weft() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    local longer="\${path:+$path }$word"
    case "$longer" in
      ${known}) path="$longer" ;;
    esac
  done
  case "$path" in
${cases.join('')}  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _weft weft
`;
}

function fishText(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, options }) => {
    const seen = path.split(' ').filter((word) => word !== '');
    const there = seen.map((word) => `__fish_seen_subcommand_from ${word}`);
    const notFurther = words.length > 0 ? [`not __fish_seen_subcommand_from ${words.join(' ')}`] : [];
    const condition = [...there, ...notFurther].join('; and ');
    const when = condition === '' ? '' : ` -n '${condition}'`;
    return [
      ...(words.length > 0 ? [`complete -c weft -f${when} -a '${words.join(' ')}'`] : []),
      ...options
        .filter((long) => long.startsWith('--'))
        .map((long) => {
          return `complete -c weft${there.length > 0 ? ` -n '${there.join('; and ')}'` : ''} -l ${long.slice(2)}`;
        }),
    ];
  });
  return `${lines.join('\n')}\n`;
}
