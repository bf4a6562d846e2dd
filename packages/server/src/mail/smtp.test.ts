import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, test } from 'vitest';
import { makeCertificate } from '../http/development-ca.ts';
import { createSmtp, type Mail, type SmtpSettings } from './smtp.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly text: string;
}

/** A mail server of another make, on loopback. */
async function server(options: SMTPServerOptions = {}): Promise<{ port: number; received: Received[] }> {
  const received: Received[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        const to = rcptTo.map(({ address }) => address);
        received.push({ from, to, secure: session.secure, user: session.user as string | undefined, text });
        done();
      });
    },
    ...options,
  });
  smtp.on('error', () => undefined);
  await new Promise<void>((done) => smtp.listen(0, '127.0.0.1', done));
  closing.push(() => smtp.close());
  const address = smtp.server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, received };
}

const settings = (port: number, change: Partial<SmtpSettings> = {}): SmtpSettings => ({
  host: '127.0.0.1',
  port,
  implicitTls: false,
  requireTls: false,
  user: undefined,
  password: undefined,
  ca: undefined,
  from: 'countersign@example.com',
  ...change,
});

const MAIL: Mail = {
  to: 'ada@example.com',
  subject: 'payments is suspended',
  text: '- payments is suspended: odd calls\n',
  messageId: '<mal_1.1@authority.test>',
};

/** Headers with their continuation lines, as a reader takes them. */
function headers(text: string): readonly string[] {
  const [head = ''] = text.split('\r\n\r\n');
  return head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
}

test('a mail arrives with what it is made of', async () => {
  const { port, received } = await server();
  expect(await createSmtp(settings(port))(MAIL)).toEqual({ kind: 'sent' });
  expect(received).toMatchObject([{ from: 'countersign@example.com', to: ['ada@example.com'] }]);
  const lines = headers(received[0]?.text ?? '');
  expect(lines).toContain('Subject: payments is suspended');
  expect(lines).toContain('Message-ID: <mal_1.1@authority.test>');
  expect(lines).toContain('Auto-Submitted: auto-generated');
  expect(lines.find((line) => line.startsWith('Content-Type'))).toContain('text/plain');
});

test('no name makes a header, a recipient, or something that is run', async () => {
  const { port, received } = await server();
  const send = createSmtp(settings(port));
  const hostile = [
    'x\r\nBcc: eve@evil.example',
    'x\nBcc: eve@evil.example\n\nbody',
    '\u202Egpj.exe',
    '=HYPERLINK("http://evil.example")',
    '+1+cmd|x',
    '<script>alert(1)</script>',
    '=?utf-8?Q?=0D=0ABcc:_eve=40evil.example?=',
    'Zażółć 測試 🔑',
    '\0',
    'a'.repeat(5000),
  ];
  for (const text of hostile) expect(await send({ ...MAIL, subject: text, text })).toEqual({ kind: 'sent' });
  expect(received).toHaveLength(hostile.length);
  for (const { to, text } of received) {
    expect(to).toEqual(['ada@example.com']);
    const names = headers(text).map((line) => line.split(':')[0]?.toLowerCase());
    expect(names.filter((name) => name === 'bcc' || name === 'cc')).toEqual([]);
    expect(names.filter((name) => name === 'to' || name === 'subject')).toHaveLength(2);
    expect(headers(text).find((line) => line.startsWith('Content-Type'))).toContain('text/plain');
  }
});

test('an address is one address', async () => {
  const { port, received } = await server();
  const send = createSmtp(settings(port));
  for (const to of [
    'ada@example.com, eve@evil.example',
    'ada@example.com;eve@evil.example',
    'ada@example.com\r\nRCPT TO:<eve@evil.example>',
    'Eve <eve@evil.example>',
    'group: ada@example.com;',
    '',
  ]) {
    expect(await send({ ...MAIL, to })).toEqual({ kind: 'refused', reason: 'not one address' });
  }
  expect(received).toEqual([]);
});

test('without TLS nothing is sent, not even a password, unless that is declared', async () => {
  const names: string[] = [];
  const { port, received } = await server({
    onAuth: (auth, _session, done) => (names.push(auth.username ?? ''), done(null, { user: auth.username })),
  });
  const account = { user: 'countersign', password: 's3cret' };
  const refused = await createSmtp(settings(port, { requireTls: true, ...account }))(MAIL);
  expect(refused.kind).toBe('failed');
  expect(JSON.stringify(refused)).not.toContain('s3cret');
  expect([received, names]).toEqual([[], []]);
});

test('with TLS it is sent to whom the certificate names, and to nobody else', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-smtp-'));
  const made = await makeCertificate(directory, Date.now(), randomBytes);
  const ca = await readFile(made.caFile, 'utf8');
  const tls = { key: made.privateKey, cert: made.certificate, disabledCommands: [] };
  const { port, received } = await server({
    ...tls,
    onAuth: (auth, _session, done) => done(null, { user: auth.username }),
  });
  const account = { host: 'localhost', requireTls: true, user: 'countersign', password: 's3cret' };
  const strange = await createSmtp(settings(port, account))(MAIL);
  expect(strange.kind).toBe('failed');
  expect(received).toEqual([]);
  expect(await createSmtp(settings(port, { ...account, ca }))(MAIL)).toEqual({ kind: 'sent' });
  expect(received).toMatchObject([{ secure: true, user: 'countersign' }]);
});

test('what is refused for ever is told from what may be taken later', async () => {
  const answer = (responseCode: number) => Object.assign(new Error('no such mailbox'), { responseCode });
  const never = await server({ onRcptTo: (_address, _session, done) => done(answer(550)) });
  expect(await createSmtp(settings(never.port))(MAIL)).toEqual({ kind: 'refused', reason: 'EENVELOPE 550' });
  const later = await server({ onRcptTo: (_address, _session, done) => done(answer(451)) });
  expect((await createSmtp(settings(later.port))(MAIL)).kind).toBe('failed');
  const noSender = await server({ onMailFrom: (_address, _session, done) => done(answer(550)) });
  expect((await createSmtp(settings(noSender.port))(MAIL)).kind).toBe('failed');
  expect((await createSmtp(settings(1))(MAIL)).kind).toBe('failed');
});
