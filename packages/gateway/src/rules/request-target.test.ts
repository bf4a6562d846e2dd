import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_TARGET, readTarget, type TargetFault } from './request-target.ts';

const segmentsOf = (text: string): readonly string[] | TargetFault => {
  const reading = readTarget(text);
  return reading.ok ? reading.target.segments : reading.fault;
};

describe('a target', () => {
  it.each<[string, readonly string[]]>([
    ['/', []],
    ['/orders', ['orders']],
    ['/orders/', ['orders']],
    ['/orders/7', ['orders', '7']],
    ['/%6Frders/a%20b', ['orders', 'a b']],
    ['/caf%C3%A9', ['café']],
    ["/a-._~!$&'()*+,=:@", ["a-._~!$&'()*+,=:@"]],
    ['/a.b/..c/.d', ['a.b', '..c', '.d']],
    ['/x?a=/../b//c;d&e=%2f{}|', ['x']],
  ])('%s is read', (text, segments) => {
    expect(segmentsOf(text)).toEqual(segments);
  });

  it.each<[TargetFault, readonly string[]]>([
    ['target_not_a_path', ['', '*', 'x', 'http://a/b', 'a:443', '?a', '%2f']],
    [
      'target_characters',
      ['/a\\b', '/a b', '/a#b', '/a|b', '/a"b', '/é', '/a\u0000', '/a\r\nb', '/a?b#c', '/a?b\\', '/a?é'],
    ],
    ['path_bad_escape', ['/%', '/%2', '/%zz', '/%u002e', '/%ff', '/%c0%ae', '/%ed%a0%80']],
    [
      'path_ambiguous_escape',
      [
        '/a%2fb',
        '/a%2Fb',
        '/a%5cb',
        '/a%5Cb',
        '/%252e',
        '/%00',
        '/a%0d%0ab',
        '/%7f',
        '/%1F',
        '/a%3fb',
        '/a%3Fb',
        '/a%23b',
      ],
    ],
    ['path_parameters', ['/a;b', '/a;b=c/d', '/..;/a', '/a%3bb', '/a%3Bb']],
    ['path_dots', ['/.', '/..', '/a/../b', '/a/./b', '/%2e', '/%2e%2E/a', '/.%2e', '/a/..', '/../']],
    ['path_trailing_dot', ['/a.', '/a./b', '/a%2e', '/a%20', '/a%20/b', '/a...']],
    ['path_empty_segment', ['//', '//a', '/a//b', '/a//']],
    ['path_not_normal', ['/%EF%BC%8E%EF%BC%8E/a', '/a%EF%BC%8Fb', '/%E2%84%AA', '/%EF%AC%81', '/e%CC%81']],
    ['target_too_long', [`/${'a'.repeat(LONGEST_TARGET)}`]],
  ])('is refused: %s', (fault, texts) => {
    for (const text of texts) expect(segmentsOf(text), JSON.stringify(text)).toBe(fault);
  });

  it('of the greatest length is read', () => {
    expect(readTarget(`/${'a'.repeat(LONGEST_TARGET - 1)}`).ok).toBe(true);
  });

  it('that is read has no segment that could lead anywhere else', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '.',
        '..',
        '/',
        '//',
        '%2e',
        '%2E',
        '%2f',
        '%5c',
        '%25',
        ';',
        '\\',
        '%00',
        'a',
        '?',
        '#',
        '%e2%80%a4',
      ),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const reading = readTarget(`/${pieces.join('')}`);
        if (!reading.ok) return true;
        const { segments, path, query } = reading.target;
        const resolved = new URL(`http://a${path}`).pathname.replace(/\/$/, '');
        return (
          `${path}${query}` === `/${pieces.join('')}` &&
          segments.every(
            (segment) =>
              segment !== '' && segment !== '.' && segment !== '..' && !/[/\\;\u0000]/.test(segment),
          ) &&
          decodeURIComponent(resolved) === segments.map((segment) => `/${segment}`).join('')
        );
      }),
      { numRuns: 3000 },
    );
  });
});
