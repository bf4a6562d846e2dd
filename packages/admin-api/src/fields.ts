// The bricks of the schemas: each bound is stated here once and reaches validation, OpenAPI and the docs.
import { holdsSecret, parseResourceIndicator } from '@countersign/protocol';
import { z } from 'zod';
import { issueWords } from './issue-words.ts';

// Every schema of the contract is read with these words, wherever it is read.
z.config({ localeError: issueWords });

/** Text with something in it; of what is empty nothing else is told. */
const filled = () => z.string().min(1, { abort: true });

/** No control character, lone surrogate, line separator or direction override; no space at either end. */
const TEXT =
  /^[^\s\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\uFEFF](?:[^\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]*[^\s\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\uFEFF])?$/u;

export const text = (max: number) =>
  filled().max(max).regex(TEXT, 'must be one line of text without control characters or spaces at its ends');

/** What people write for people. It stands in the audit log, from which nothing can be taken again. */
export const prose = (max: number) =>
  text(max).refine((value) => !holdsSecret(value), 'must not hold a secret: it would stand in the audit log');

export const name = text(200);
export const reason = prose(1000);
/** Of a credential. */
export const label = prose(200);

const CLIENT_ID = /^[A-Za-z0-9_-]{1,128}$/;
const RECORD_ID =
  /^(?:idn|crd|rsv|acs|key|evt|cut|fnd|tis|psn|tem|apr|arq|off|pol|pex|prp|whk|dlv|rvw|rvi|cau|crt|clm|wkl|tdm)_[0-9a-z]{20}$/;

/** What the authority and the clients through which people sign in are called. */
const RESERVED: ReadonlySet<string> = new Set(['countersign', 'countersign-cli', 'countersign-console']);

/** A client_id that somebody wishes for: it must not look like a record's id nor like the authority itself. */
export const newClientId = z
  .string()
  .regex(CLIENT_ID, 'must be 1 to 128 of A-Z a-z 0-9 _ -')
  .refine((value) => !RECORD_ID.test(value) && !RESERVED.has(value), 'is reserved');

/** An identity by id (`idn_…`) or client_id. */
export const identityRef = z.string().regex(CLIENT_ID, 'must be an id or a client_id');

export const recordId = z.string().regex(/^[a-z]{3}_[0-9a-z]{20}$/, 'must be an id');

const RESOURCE_ID = /^rsv_[0-9a-z]{20}$/;

/** Absolute URI without fragment (RFC 8707 §2). */
export const resourceIdentifier = filled()
  .max(2048)
  .refine((value) => parseResourceIndicator(value) !== undefined, 'must be an absolute URI without fragment')
  .meta({ format: 'uri' });

/** A resource server by id (`rsv_…`) or identifier. */
export const resourceServerRef = filled()
  .max(2048)
  .refine(
    (value) => RESOURCE_ID.test(value) || parseResourceIndicator(value) !== undefined,
    'must be the identifier (an absolute URI without fragment) or the id (rsv_…), not a name',
  );

/** A trusted issuer by id (`tis_…`) or issuer. */
export const trustedIssuerRef = filled()
  .max(2048)
  .regex(/^(?:tis_[0-9a-z]{20}|https?:\/\/[\x21-\x7e]+)$/, 'must be the issuer (a URL) or the id (tis_…)');

const DIRECTORY_ID = /^(?:psn|tem)_[0-9a-z]{20}$/;

/** What people and teams are called where owners are named; never what could be an id of one. */
export const directoryName = name.refine((value) => !DIRECTORY_ID.test(value), 'must not look like an id');

/** An address that mail could go to; whether it does is not looked at. */
export const email = text(254).regex(/^[^\s@<>"]+@[^\s@<>"]+$/, 'must be an e-mail address');

/** Scope token (RFC 6749 §3.3). */
export const scopeName = filled()
  .max(128)
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must be a scope token: printable ASCII without space, " and \\');

export const scopeNames = z
  .array(scopeName)
  .min(1)
  .max(200)
  .refine((names) => new Set(names).size === names.length, 'must not repeat a scope');

/** RFC 3339, with `Z` or an offset. */
export const instant = z.iso.datetime({ offset: true }).max(40);

/** A span of time, from now on or back: `90d`, `12h`, `30m`, `45s`, `4w`. */
export const span = z.string().regex(/^[1-9][0-9]{0,4}[smhdw]$/, 'must be a span such as 90d');

export const sensitivity = z.int().min(0).max(3);

export const positive = (max: number) => z.int().min(1).max(max);

/** An integer in a query: its digits, or a number when the typed client writes it. */
export const queryInteger = (min: number, max: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^(?:0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : value),
    z.int().min(min).max(max),
  ) as z.ZodType<number, number>;

/** What every list takes. */
export const pageQuery = {
  limit: queryInteger(1, 200).default(50).describe('Items per page'),
  cursor: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be a next_cursor of this list')
    .optional()
    .describe('The next_cursor of the page before'),
};

/** `{items, next_cursor}`; `next_cursor` is null on the last page. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });
