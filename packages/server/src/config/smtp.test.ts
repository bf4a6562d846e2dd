import { expect, test } from 'vitest';
import { SettingError } from './load.ts';
import { type Smtp, smtpOf } from './smtp.ts';

const FROM = 'countersign@example.com';
const read = (url: string | undefined, more: object = {}): Smtp | undefined =>
  smtpOf({ url, from: FROM, tls: 'required', caFile: undefined, ...more });

test('a mail server is a URL: TLS at once or on request, its account in front', () => {
  expect(read('smtp://mail.example')).toMatchObject({
    host: 'mail.example',
    port: 587,
    implicitTls: false,
    requireTls: true,
    user: undefined,
    password: undefined,
    from: FROM,
  });
  expect(read('smtps://me%40example.com:p%3Aw@mail.example')).toMatchObject({
    port: 465,
    implicitTls: true,
    user: 'me@example.com',
    password: 'p:w',
  });
  expect(read('smtp://[::1]:2525')).toMatchObject({ host: '::1', port: 2525, requireTls: false });
});

test('TLS is given up on this machine, or where somebody says so, and nowhere else', () => {
  const requireTls = (url: string, tls = 'required'): boolean | undefined => read(url, { tls })?.requireTls;
  expect(['localhost', '127.0.0.1', '127.9.9.9'].map((host) => requireTls(`smtp://${host}`))).toEqual([
    false,
    false,
    false,
  ]);
  expect(['10.0.0.1', 'localhost.example', '0.0.0.0'].map((host) => requireTls(`smtp://${host}`))).toEqual([
    true,
    true,
    true,
  ]);
  expect(requireTls('smtp://mail.example', 'off')).toBe(false);
});

test('without a server there is no mail, and what is half said is refused by its name', () => {
  expect(smtpOf({ url: undefined, from: undefined, tls: 'required', caFile: undefined })).toBeUndefined();
  const setting = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      if (error instanceof SettingError) return error.setting;
      throw error;
    }
    return 'taken';
  };
  expect(setting(() => read(undefined))).toBe('smtp-url');
  for (const url of [
    'mail.example',
    'https://mail.example',
    'smtp://',
    'smtp://a:%zz@m',
    'smtp://mail.example/x',
    'smtp://m?x=1',
  ]) {
    expect([url, setting(() => read(url))]).toEqual([url, 'smtp-url']);
  }
  for (const from of [undefined, 'me', 'a@b, c@d', 'a@b\r\nBcc: c@d']) {
    expect([from, setting(() => read('smtp://mail.example', { from }))]).toEqual([from, 'smtp-from']);
  }
  expect(setting(() => read('smtp://mail.example', { caFile: '/nowhere/ca.pem' }))).toBe('smtp-ca');
});
