import { expect, test } from 'vitest';
import { visible, visibleInQuotes } from './visible-text.ts';

test('plain text and other scripts stay as they are', () => {
  expect(visible('payments – Zahlungen 支払い 💳')).toBe('payments – Zahlungen 支払い 💳');
});

test('what could move the cursor, colour or hide is shown as an escape', () => {
  expect(visible('a\u001b[31mred\u0007\r\n\tb\u009b2J')).toBe('a\\x1b[31mred\\x07\\r\\n\\tb\\x9b2J');
});

test('direction overrides and invisible characters are shown', () => {
  expect(visible('ab\u202Ecd\u2066\u200B\uFEFF')).toBe('ab\\u202ecd\\u2066\\u200b\\ufeff');
});

test('a lone surrogate is shown', () => {
  expect(visible('a\uD800b')).toBe('a\\ud800b');
});

test('in JSON the escapes are those of JSON', () => {
  const text = visibleInQuotes(JSON.stringify({ name: 'a\u202E\u009b' }, undefined, 2));
  expect(text).toBe('{\n  "name": "a\\u202e\\u009b"\n}');
  expect(JSON.parse(text)).toEqual({ name: 'a\u202E\u009b' });
});
