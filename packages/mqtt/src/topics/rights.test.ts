import fc from 'fast-check';
import { expect, it } from 'vitest';
import { belongsTo } from './client-id.ts';
import { Rights } from './rights.ts';
import { covers, parseFilter } from './topic.ts';

it.each([
  // granted, asked for, within
  ['a/b', 'a/b', true],
  ['a/b', 'a/c', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a/+', true],
  ['a/b', 'a/+', false],
  ['a/+', 'a/#', false],
  ['a/#', 'a/#', true],
  ['a/#', 'a/+/c', true],
  ['a/#', 'a', true],
  ['a/+', 'a', false],
  ['a/b', 'a/b/', false],
  ['#', '#', true],
  ['#', '+/x', true],
  ['+/x', '#', false],
  ['#', '$SYS/x', false],
  ['+/x', '$SYS/x', false],
  ['$SYS/#', '$SYS/broker/load', true],
  ['$SYS/+', '$SYS/#', false],
  ['a', 'A', false],
  ['/a', 'a', false],
  ['+/a', '/a', true],
])('who may use %s is asked for %s: %s', (granted, asked, within) => {
  expect(new Rights([`mqtt.sub:${granted}`], 'c').toSubscribe(asked) !== undefined).toBe(within);
});

it('a shared subscription is judged by what it delivers, and its name opens nothing', () => {
  const rights = new Rights(['mqtt.sub:news/#', 'mqtt.sub:$share/g/#', 'mqtt.sub:$share/#'], 'c');
  expect(rights.toSubscribe('$share/g/news/a')?.scope).toBe('mqtt.sub:news/#');
  for (const asked of [
    '$share/g/#',
    '$share/g/other',
    '$share/g',
    '$share/g/',
    '$share//news/a',
    '$share/+/news/a',
  ]) {
    expect(rights.toSubscribe(asked), asked).toBe(undefined);
  }
});

it('what is no filter or no topic is nobody’s', () => {
  const rights = new Rights(['mqtt.sub:#', 'mqtt.pub:#'], 'c');
  for (const asked of ['', 'a/#/b', 'a#', 'a+/b', 'a\0', '#/', `${'a/'.repeat(128)}a`]) {
    expect(rights.toSubscribe(asked), asked).toBe(undefined);
  }
  for (const topic of ['', 'a/+', '#', 'a\0b', '$SYS/x'])
    expect(rights.toPublish(topic), topic).toBe(undefined);
  expect(rights.toPublish('a/b')).toMatchObject({ scope: 'mqtt.pub:#' });
});

it('a template is the name of its client, one level of it, or nothing', () => {
  const scopes = ['mqtt.pub:plant/{client}/#', 'mqtt.pub:{client}', 'read', 'mqtt.pub:a/#/b'];
  expect(new Rights(scopes, 'sensor-7').toPublish('plant/sensor-7/t')?.scope).toBe(
    'mqtt.pub:plant/{client}/#',
  );
  expect(new Rights(scopes, 'sensor-7').toPublish('plant/sensor-8/t')).toBe(undefined);
  for (const client of ['+', '#', 'a/b', '$SYS', 'a+', ''])
    expect(new Rights(scopes, client).none, client).toBe(true);
});

it('an identity has its own name, and those behind a colon', () => {
  expect(['s', 's:', 's:a', 's:a:b'].every((each) => belongsTo(each, 's'))).toBe(true);
  expect(['', 't', 's1', 'S', ':s', 's1:s'].some((each) => belongsTo(each, 's'))).toBe(false);
});

const level = fc.constantFrom('a', 'b', '', '$x', '+');
const name = fc.array(fc.constantFrom('a', 'b', '', '$x'), { minLength: 1, maxLength: 4 });
const filter = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => parseFilter([...levels, ...(all ? ['#'] : [])].join('/')))
  .filter((parsed) => parsed !== undefined);

it('nothing that a filter delivers is beyond a filter that covers it', () => {
  fc.assert(
    fc.property(filter, filter, name, (granted, wanted, topic) => {
      if (covers(granted, wanted) && covers(wanted, topic)) expect(covers(granted, topic)).toBe(true);
    }),
    { numRuns: 20_000 },
  );
});
