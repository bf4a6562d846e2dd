import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { fakeHost } from '../../test/fake-host.ts';
import { type OutputFormat, printList, printObject } from './formats.ts';

interface Machine {
  readonly id: string;
  readonly name: string;
}

const machines: readonly Machine[] = [
  { id: 'idn_1', name: 'payments' },
  { id: 'idn_2', name: 'evil\u001b[2J\n' },
];
const presentation = {
  columns: [
    { header: 'ID', value: (machine: Machine) => machine.id },
    { header: 'NAME', value: (machine: Machine) => machine.name },
  ],
  name: (machine: Machine) => machine.id,
};

async function listed(format: OutputFormat, columns?: number): Promise<string> {
  const host = fakeHost(columns === undefined ? {} : { terminal: true, columns });
  await printList(host, format, machines, presentation);
  return host.out();
}

test('a table has its header first and nothing in it that a terminal obeys', async () => {
  expect(await listed('table')).toBe('ID     NAME\nidn_1  payments\nidn_2  evil\\x1b[2J\\n\n');
});

test('a table is cut to the width of the terminal', async () => {
  expect(await listed('table', 15)).toBe('ID     NAME\nidn_1  payments\nidn_2  evil\\x1…\n');
});

test('JSON is an array that can be read back', async () => {
  expect(JSON.parse(await listed('json'))).toEqual(machines);
});

test('NDJSON is one object a line', async () => {
  expect(
    (await listed('ndjson'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(machines);
});

test('YAML can be read back and holds no raw escape', async () => {
  const text = await listed('yaml');
  expect(text).not.toContain('\u001b');
  expect(parse(text)).toEqual(machines);
});

test('names are one a line', async () => {
  expect(await listed('name')).toBe('idn_1\nidn_2\n');
});

test('an empty list is nothing as a table and an empty array as JSON', async () => {
  const host = fakeHost();
  await printList(host, 'table', [], presentation);
  expect(host.out()).toBe('');
  await printList(host, 'json', [], presentation);
  expect(host.out()).toBe('[]\n');
});

test('objects in a list are shown in words, not as JSON', async () => {
  const host = fakeHost();
  const steps = [
    { quorum: 2, roles: ['approver', 'admin'], until: null },
    { quorum: 1, roles: [], until: '2026' },
  ];
  await printObject(host, 'table', { id: 'x', steps }, (item) => item.id);
  expect(host.out()).toBe('id     x\nsteps  quorum=2 roles=approver,admin; quorum=1 until=2026\n');
});

test('one object is shown member by member, nested ones with dots, absent ones left out', async () => {
  const host = fakeHost();
  const object = { id: 'x', owner: { person: 'ada', team: null }, scopes: ['a', 'b'] };
  await printObject(host, 'table', object, (item) => item.id);
  expect(host.out()).toBe('id            x\nowner.person  ada\nscopes        a, b\n');
});
