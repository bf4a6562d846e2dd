// When an access may be used: networks (RFC 4632, RFC 4291 §2.3), time windows (IANA time zones), binding.
import { z } from 'zod';

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];
/** What a token has to be bound to: `any` takes either proof. */
export const BINDINGS = ['dpop', 'mtls', 'any'] as const;
export type Binding = (typeof BINDINGS)[number];

const network = z
  .union([z.cidrv4(), z.cidrv6()], { error: 'must be a CIDR block such as 192.0.2.0/24 or 2001:db8::/32' })
  .refine((block) => !block.endsWith('/0'), 'must not be everybody');

const clock = (most: RegExp) => z.string().regex(most, 'must be a time of day, HH:MM');
const FROM = /^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/;
const TO = /^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/;

/** The platform's list decides, and no offset passes for a zone: an offset knows no summer time. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const timeWindow = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .max(7)
      .refine((days) => new Set(days).size === days.length, 'must not repeat a day'),
    from: clock(FROM).describe('HH:MM, included'),
    to: clock(TO).describe('HH:MM, excluded; before `from`: on the day after'),
    time_zone: z.string().max(64).refine(isTimeZone, 'must be an IANA time zone such as Europe/Amsterdam'),
  })
  .refine((window) => window.from !== window.to, {
    error: 'must not end when it begins; a whole day is 00:00 to 24:00',
    path: ['to'],
  });

const members = {
  networks: z
    .array(network)
    .min(1)
    .max(100)
    .describe(
      'Only to callers from these blocks tokens are issued, and answers given to who stands for the API',
    ),
  times: z
    .array(timeWindow)
    .min(1)
    .max(20)
    .describe('Only in one of these windows tokens are issued, and answers given to who stands for the API'),
  binding: z
    .enum(BINDINGS)
    .describe(
      'Tokens are issued only bound to a proof of this kind, and answers given only to who shows one',
    ),
};

export const accessConditions = z
  .strictObject({
    networks: members.networks.optional(),
    times: members.times.optional(),
    binding: members.binding.optional(),
  })
  .meta({ id: 'AccessConditions' });
export type AccessConditions = z.output<typeof accessConditions>;

/** Merge patch (RFC 7396): null removes. */
export const accessConditionsPatch = z
  .strictObject({
    networks: members.networks.nullable().optional(),
    times: members.times.nullable().optional(),
    binding: members.binding.nullable().optional(),
  })
  .meta({ id: 'AccessConditionsPatch' });
