import { describe, expect, it } from 'vitest';
import { parseHostPattern, readHost } from './host.ts';
import { parsePathPattern } from './path-pattern.ts';
import type { Route } from './route.ts';
import { routeTable, shadowedRoutes } from './route-table.ts';

function route(text: string, host = '*', methods?: string): Route {
  const prefix = text.endsWith('*');
  const path = parsePathPattern(prefix ? 'prefix' : 'path', prefix ? text.slice(0, -1) : text);
  const pattern = parseHostPattern(host);
  if (typeof path === 'string' || pattern === undefined) throw new Error(`${host}${text}`);
  return {
    name: `${host} ${text}`,
    line: 1,
    host: pattern,
    path,
    methods: methods === undefined ? undefined : new Set(methods.split(' ')),
    requirement: { kind: 'public' },
    upstream: undefined,
  };
}

function find(routes: readonly Route[], path: string, method = 'GET', host = 'a.example'): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  const found = routeTable(routes).find({ host, method, segments });
  return typeof found === 'string' ? found : found.name;
}

describe('the rule that decides', () => {
  const routes = [
    route('/orders/{id}', '*', 'GET'),
    route('/orders', '*', 'GET POST'),
    route('/admin*', 'b.example'),
    route('/*', '*.example', 'GET'),
  ];

  it.each([
    ['/orders/7', 'GET', '* /orders/{id}'],
    ['/orders/7', 'HEAD', '* /orders/{id}'],
    ['/orders/7', 'DELETE', 'no_route'],
    ['/orders/7', 'get', 'no_route'],
    ['/orders/', 'POST', '* /orders'],
    ['/orders/7/items', 'GET', '*.example /*'],
    ['/ordersx', 'GET', '*.example /*'],
    ['/', 'GET', '*.example /*'],
    ['/', 'POST', 'no_route'],
  ])('for %s %s', (path, method, name) => {
    expect(find(routes, path, method)).toBe(name);
  });

  it('is the first that matches, with its host', () => {
    expect(find(routes, '/admin/x', 'PUT', 'b.example')).toBe('b.example /admin*');
    expect(find(routes, '/administer', 'PUT', 'b.example')).toBe('no_route');
    expect(find(routes, '/admin/x', 'PUT')).toBe('no_route');
    expect(find(routes, '/x', 'GET', 'a.b.example')).toBe('no_route');
    expect(find(routes, '/x', 'GET', 'example')).toBe('no_route');
  });

  it('is none where a server that ignores letter case would find another', () => {
    const cased = [route('/admin*', '*', 'GET'), route('/Stra%C3%9Fe', '*'), route('/*')];
    for (const path of ['/Admin', '/ADMIN/x', '/aDmin', '/STRASSE', '/strasse']) {
      expect(find(cased, path), path).toBe('ambiguous_case');
    }
    expect(find(cased, '/admin')).toBe('* /admin*');
    expect(find(cased, '/Other')).toBe('* /*');
  });
});

it.each<[boolean, Route, Route]>([
  [true, route('/*'), route('/a')],
  [true, route('/a*'), route('/a/{x}/b')],
  [true, route('/a*'), route('/a')],
  [true, route('/{x}'), route('/a')],
  [true, route('/a', '*.example'), route('/a', 'b.example')],
  [true, route('/a', '*', 'GET'), route('/a', '*', 'GET HEAD')],
  [false, route('/a'), route('/{x}')],
  [false, route('/a'), route('/a*')],
  [false, route('/a*'), route('/ab')],
  [false, route('/a', 'b.example'), route('/a', '*.example')],
  [false, route('/a', '*.b.example'), route('/a', '*.example')],
  [false, route('/a', '*', 'GET'), route('/a')],
  [false, route('/a', '*', 'GET'), route('/a', '*', 'GET POST')],
])('a rule that can never decide is found: %s', (shadowed, earlier, later) => {
  expect(shadowedRoutes([earlier, later])).toEqual(shadowed ? [{ route: later, by: earlier }] : []);
});

describe('a host', () => {
  it.each([
    ['A.Example', 'a.example', 'a.example'],
    ['a.example:8080', 'a.example', 'a.example:8080'],
    ['a.example.', 'a.example', 'a.example'],
    ['a_b.example', 'a_b.example', 'a_b.example'],
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['[::1]:80', '[::1]', '[::1]:80'],
  ])('%s is read', (text, name, authority) => {
    expect(readHost(text)).toEqual({ name, authority });
  });

  it.each([
    '',
    'a b',
    'a,b',
    'a.example, b.example',
    'user@a.example',
    'a.example/x',
    'a.example:x',
    'a.example:123456',
    '.a',
    'a..b',
    'a.example#',
    'a.example\\@b',
    'é.example',
    '%61.example',
    '-a',
    '[::1',
    `${'a'.repeat(254)}`,
  ])('%s is none', (text) => {
    expect(readHost(text)).toBeUndefined();
  });
});
