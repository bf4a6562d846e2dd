import type { ObjectChange } from '@countersign/admin-api';
import type { Paint } from './style.ts';
import { visible } from './visible-text.ts';

const MARKS = {
  create: ['+', 'green'],
  update: ['~', 'yellow'],
  delete: ['-', 'red'],
} as const;

/** What changes, one object a line with the members that differ under it; then the counts. */
export function differenceLines(changes: readonly ObjectChange[], paint: Paint): readonly string[] {
  if (changes.length === 0) return ['Nothing to change.'];
  return [...changes.flatMap((change) => changeLines(change, paint)), countLine(changes)];
}

function countLine(changes: readonly ObjectChange[]): string {
  const count = (op: ObjectChange['op']): number => changes.filter((change) => change.op === op).length;
  return `${count('create')} to add, ${count('update')} to change, ${count('delete')} to end.`;
}

function changeLines(change: ObjectChange, paint: Paint): readonly string[] {
  const [mark, colour] = MARKS[change.op];
  const head = paint(colour, `${mark} ${change.kind} ${visible(change.name)}`);
  const members = change.op === 'delete' ? [] : change.fields;
  return [
    head,
    ...members
      .filter((name) => !BOOKKEEPING.has(name))
      .map((name) => `    ${name}: ${transition(change, name)}`),
  ];
}

/** Changes with every write and says nothing about it, or is the evidence kept of what the other lines say. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  'version',
  'updated_at',
  'created_at',
  'id',
  'request',
  'verdict',
]);

function transition(change: ObjectChange, name: string): string {
  const after = valueText(change.after?.[name]);
  return change.op === 'create' ? after : `${valueText(change.before?.[name])} → ${after}`;
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return '(none)';
  return visible(typeof value === 'string' ? value : JSON.stringify(value));
}
