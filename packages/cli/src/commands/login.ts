import { buildCommand, type Command } from '@stricli/core';
import { fetchTrusting } from '@countersign/client';
import { fetchFor, openAsPerson } from '../connection/admin.ts';
import { resolveAuthority } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { authorityFlags, type AuthorityFlags } from '../flags/connection.ts';
import { signIn } from '../session/sign-in.ts';
import { deleteSession, writeSession } from '../session/session-file.ts';

interface Flags extends AuthorityFlags {
  readonly browser: boolean;
}

/** How long a person may take at the provider. */
const TIMEOUT_MS = 5 * 60_000;

export const login: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const authority = resolveAuthority(host, flags);
    const send = fetchFor(host, authority);
    const session = await signIn({
      authority: authority.issuer,
      send,
      sendTo: ({ issuer, ca }) => {
        // What is on the authority's own address has its certificate.
        if (host.fetch !== undefined || new URL(issuer).origin === new URL(authority.issuer).origin)
          return send;
        return ca === null ? fetch : fetchTrusting(ca);
      },
      show: async (url) => {
        const opened = flags.browser && (await host.openBrowser?.(url)) === true;
        say(host, opened ? 'Sign in with the browser that has opened, or go to:' : 'To sign in, go to:');
        say(host, `  ${url}`);
      },
      now: host.now,
      timeoutMs: TIMEOUT_MS,
    });
    const admin = await openAsPerson(host, authority, session);
    const { body } = await admin.client.call('me.get');
    deleteSession(host, authority.issuer);
    writeSession(host, session);
    const { handle = '?', roles = [] } = body.person ?? {};
    say(host, `Signed in as ${handle} (${roles.join(', ')}) until ${session.expires_at}`);
  },
  parameters: {
    flags: {
      browser: {
        kind: 'boolean',
        default: true,
        brief: 'Open a browser; without, the address is only printed',
      },
      ...authorityFlags,
    },
  },
  docs: {
    brief: 'Sign in as a person, through the provider that the authority trusts',
    fullDescription:
      'Sign in as a person, through the provider that the authority trusts.\n\nUntil the session ends or `countersign logout`, every command acts as this person, unless a machine is named by\n--client-id or the environment. The session is kept in a file that only you can read; it is bound to a key in it.',
    customUsage: ['', '--no-browser', '--issuer https://authority.example'],
  },
});
