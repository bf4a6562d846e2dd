import { buildCommand, type Command } from '@stricli/core';
import { openAsPerson } from '../connection/admin.ts';
import { resolveAuthority } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { failureOf } from '../exit-code.ts';
import { authorityFlags, type AuthorityFlags } from '../flags/connection.ts';
import { deleteSession, readSession } from '../session/session-file.ts';

export const logout: Command<CliContext> = buildCommand<AuthorityFlags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const authority = resolveAuthority(host, flags);
    const session = readSession(host, authority.issuer);
    if (session === undefined) return say(host, `Nobody is signed in at ${authority.issuer}`);
    // Here it ends whatever the authority says.
    deleteSession(host, authority.issuer);
    if (Date.parse(session.expires_at) <= host.now()) return say(host, 'Signed out');
    const admin = await openAsPerson(host, authority, session);
    try {
      await admin.client.call('me.sign-out', { body: {} });
    } catch (error) {
      const failure = failureOf(error);
      // It was ended before: that is what was asked for.
      if (failure.kind !== 'denied') throw error;
    }
    say(host, 'Signed out');
  },
  parameters: { flags: authorityFlags },
  docs: {
    brief: 'Sign out: forget the session, and end its token at the authority',
    customUsage: ['', '--issuer https://authority.example'],
  },
});
