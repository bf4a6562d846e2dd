import type { SettingDefinition } from '../setting-definition.ts';

/** As JavaScript numbers them. */
export const DIGEST_DAYS = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;

/** The mail server, and the weekly digest. */
export const MAIL: readonly SettingDefinition[] = [
  {
    name: 'smtp-url',
    type: 'string',
    secret: true,
    doc: 'Mail server that notices to people go through: `smtp://HOST:587` or `smtps://HOST:465`, with `USER:PASSWORD@` in front of the host where it asks for one. Unset: no mail. A URL with a password belongs in a file.',
  },
  { name: 'smtp-from', type: 'string', doc: 'Address that mails come from.' },
  {
    name: 'smtp-tls',
    type: 'string',
    default: 'required',
    values: ['required', 'off'],
    doc: 'Whether mail goes out through TLS only; a mail server on loopback needs none.',
  },
  {
    name: 'smtp-ca',
    type: 'path',
    doc: 'PEM certificates that the mail server’s is signed with, in place of the platform’s.',
  },
  {
    name: 'digest-day',
    type: 'string',
    default: 'monday',
    values: ['none', ...DIGEST_DAYS],
    doc: 'Day on which owners get their weekly digest by mail, at 07:00 UTC.',
  },
];
