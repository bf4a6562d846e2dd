import type { RouteMap } from '@stricli/core';
import type { CliContext } from './context.ts';

/**
 * A group of commands whose help opens with command lines that work, where Stricli would list the usage of each; the
 * commands follow further down in any case.
 */
export function withExamples(map: RouteMap<CliContext>, examples: readonly string[]): RouteMap<CliContext> {
  return {
    ...map,
    formatHelp(args) {
      const help = map.formatHelp(args);
      const rest = help.slice(help.indexOf('\n\n'));
      return [args.text.headers.usage, ...examples.map((line) => `  countersign ${line}`)].join('\n') + rest;
    },
  };
}
