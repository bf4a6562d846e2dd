import { expect, test } from 'vitest';
import { command } from './command.ts';

test('what is left out is left out, and names are flags of the command', () => {
  const options = { owner_person: 'ada@example.com', state: undefined, text: '' };
  expect(command(['identities', 'list'], options, ['--all'])).toBe(
    'countersign identities list --owner-person ada@example.com --all',
  );
});

test.each([
  ['two words', "'two words'"],
  ['$(reboot)', "'$(reboot)'"],
  ["it's", `'it'\\''s'`],
  ['a;b', "'a;b'"],
  ['https://fraud.example/a', 'https://fraud.example/a'],
  ['~', "'~'"],
])('a shell sees one word in %s, whoever chose it', (word, shown) => {
  expect(command(['findings', 'list'], { identity: word })).toBe(
    `countersign findings list --identity ${shown}`,
  );
});
