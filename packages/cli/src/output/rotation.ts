import type { Rotation } from '@countersign/admin-api';
import { type Column, fieldLines, tableLines } from './table.ts';

const INSTANCES: readonly Column<Rotation['instances'][number]>[] = [
  { header: 'INSTANCE', value: (each) => each.instance ?? '-' },
  { header: 'STATE', value: (each) => each.state },
  { header: 'FROM', value: (each) => (each.source === '' ? '-' : each.source) },
  { header: 'LAST WITH OLD', value: (each) => each.last_seen_with_old },
  { header: 'LAST WITH NEW', value: (each) => each.last_seen_with_new ?? '-' },
];

/** How far a rotation is, for people. */
export function rotationLines(rotation: Rotation, width: number | undefined): readonly string[] {
  const { instances, moved, waiting } = rotation;
  const story = fieldLines([
    ['old', rotation.credential],
    ['new', rotation.successor],
    ['client id', rotation.client_id],
    ['state', `${rotation.state}: ${STATES[rotation.state]}`],
    ['rotated', `${rotation.rotated_at} by ${rotation.rotated_by}`],
    ['old one ends', `${rotation.ends_at} at the latest`],
    ['moved', `${moved} of ${moved + waiting} seen with the old one`],
    ['seen enough', rotation.seen_enough_at ?? 'nobody can say when'],
    ['old one quiet', rotation.quiet_at],
  ]);
  if (instances.length === 0) return [...story, '', 'Nobody was seen with the old one.'];
  return [...story, '', ...tableLines(INSTANCES, instances, width)];
}

const STATES: { readonly [state in Rotation['state']]: string } = {
  moving: 'somebody has still to move, or to be seen for longer',
  ready: 'the old one ends within minutes',
  over: 'the old one has ended',
  broken: 'nothing that works takes its place',
};
