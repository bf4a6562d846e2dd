import { type CliContext, say } from '../context.ts';
import { type OutputFormat, type Presentation, printList } from '../output/formats.ts';

export interface ListOptions {
  readonly format: OutputFormat;
  /** undefined = all. */
  readonly limit: number | undefined;
}

/** Prints items as they come where the format allows it, so that a long list is never held as a whole. */
export async function printPages(
  { host }: CliContext,
  items: AsyncIterable<unknown>,
  noun: { readonly presentation: Presentation<object>; readonly none: string },
  { format, limit }: ListOptions,
): Promise<void> {
  const streamed = format === 'ndjson' || format === 'name';
  const held: object[] = [];
  let count = 0;
  let more = false;
  for await (const item of items) {
    if (limit !== undefined && count === limit) {
      more = true;
      break;
    }
    count++;
    if (streamed) await printList(host, format, [item as object], noun.presentation);
    else held.push(item as object);
  }
  if (!streamed) await printList(host, format, held, noun.presentation);
  if (count === 0) say(host, noun.none);
  if (more) say(host, `There are more than ${limit}: narrow it down, or add --limit N or --all.`);
}
