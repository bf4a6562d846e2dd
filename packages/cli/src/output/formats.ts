import type { Host } from '../host.ts';
import type { Column } from './table.ts';
import { fieldLines, tableLines } from './table.ts';
import { hasUnsafe, visible, visibleInQuotes } from './visible-text.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'yaml', 'ndjson', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** How objects of one kind are shown to people, and by which name other commands take them. */
export interface Presentation<T> {
  readonly columns: readonly Column<T>[];
  readonly name: (item: T) => string;
}

/** Prints a list on stdout. Nothing but the list: what else there is to say goes to stderr. */
export async function printList<T>(
  host: Pick<Host, 'stdout'>,
  format: OutputFormat,
  items: readonly T[],
  presentation: Presentation<T>,
): Promise<void> {
  switch (format) {
    case 'table':
      if (items.length > 0) {
        printLines(host, tableLines(presentation.columns, items, host.stdout.columns));
      }
      return;
    case 'json':
      return printLines(host, [jsonText(items)]);
    case 'ndjson':
      return printLines(
        host,
        items.map((item) => visibleInQuotes(JSON.stringify(item))),
      );
    case 'yaml':
      return host.stdout.write(await yamlText(items));
    case 'name':
      return printLines(
        host,
        items.map((item) => visible(presentation.name(item))),
      );
  }
}

/** Prints one object on stdout; as a table it is one line a member. */
export async function printObject<T extends object>(
  host: Pick<Host, 'stdout'>,
  format: OutputFormat,
  item: T,
  name: (item: T) => string,
): Promise<void> {
  switch (format) {
    case 'table':
      return printLines(host, fieldLines(fieldsOf(item)));
    case 'json':
      return printLines(host, [jsonText(item)]);
    case 'ndjson':
      return printLines(host, [visibleInQuotes(JSON.stringify(item))]);
    case 'yaml':
      return host.stdout.write(await yamlText(item));
    case 'name':
      return printLines(host, [visible(name(item))]);
  }
}

/** JSON over several lines; still the same JSON with what a terminal must not see written as `\uXXXX`. */
export function jsonText(value: unknown): string {
  return visibleInQuotes(JSON.stringify(value, undefined, 2));
}

/** One YAML document. Strings with characters that a terminal must not see are put in double quotes and escaped. */
export async function yamlText(value: unknown): Promise<string> {
  // The whole of it: loaded lazily from the bundle, CommonJS has no other name.
  const { Document, visit } = (await import('yaml')).default;
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && hasUnsafe(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return visibleInQuotes(document.toString({ lineWidth: 0, doubleQuotedAsJSON: true }));
}

function printLines(host: Pick<Host, 'stdout'>, lines: readonly string[]): void {
  for (const line of lines) host.stdout.write(`${line}\n`);
}

/** Members in their order, nested ones with dotted names: `owner.person`. */
function fieldsOf(item: object, prefix = ''): readonly (readonly [string, string])[] {
  return Object.entries(item as Readonly<Record<string, unknown>>).flatMap(
    ([key, value]): readonly (readonly [string, string])[] => {
      const name = `${prefix}${key}`;
      if (value === undefined || value === null) return [];
      if (Array.isArray(value)) return [[name, listText(value)]];
      if (typeof value === 'object') return fieldsOf(value, `${name}.`);
      return [[name, itemText(value)]];
    },
  );
}

function listText(items: readonly unknown[]): string {
  const inWords = items.some(
    (item) => typeof item === 'object' && item !== null && nameOf(item) === undefined,
  );
  return items.map(itemText).join(inWords ? '; ' : ', ');
}

function itemText(item: unknown): string {
  if (typeof item === 'string') return item;
  if (typeof item !== 'object' || item === null) return JSON.stringify(item) ?? '';
  return nameOf(item) ?? membersText(item);
}

function nameOf(item: object): string | undefined {
  const { name } = item as { readonly name?: unknown };
  return typeof name === 'string' ? name : undefined;
}

/** An object within a cell, without what it leaves empty: `environments=prod,dev min_sensitivity=2`. */
export function membersText(item: object): string {
  return Object.entries(item)
    .filter(
      ([, value]) => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0),
    )
    .map(([key, value]: [string, unknown]) => `${key}=${memberText(value)}`)
    .join(' ');
}

function memberText(value: unknown): string {
  if (Array.isArray(value)) return value.map(memberText).join(',');
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
