import type { Clock } from '../../clock.ts';
import type { CredentialUseStore } from '../../storage/credential-use.ts';
import type { SettingStore } from '../../storage/settings.ts';

/** Notes that credentials are used, once an hour each: no row and no write for a token. */
export interface CredentialUses {
  /** A token leaves that was issued on this credential, or an API is told that this key opens it, at `at` (epoch ms). Never waits, and allocates nothing for one noted lately. */
  issued(credentialId: string, at: number): void;
}

/** How old what is noted may be. */
export const NOTED_EVERY_MS: number = 3_600_000;
const AGAIN_AFTER_MS = 60_000;
/** Credentials whose last note is remembered; of more, some are noted more often. About 10 MB. */
const MOST_REMEMBERED = 100_000;

/** `failed` is told of a note that was not written; a token a minute later tries again. */
export function createCredentialUses(
  store: Pick<CredentialUseStore, 'note'>,
  failed: (error: unknown) => void,
  mostRemembered: number = MOST_REMEMBERED,
): CredentialUses {
  const noted = new Map<string, number>();
  return {
    issued(credentialId, at) {
      const before = noted.get(credentialId);
      if (before !== undefined && at - before < NOTED_EVERY_MS && at >= before) return;
      if (noted.size >= mostRemembered) noted.clear();
      noted.set(credentialId, at);
      store.note(credentialId, at).catch((error: unknown) => {
        noted.set(credentialId, at - NOTED_EVERY_MS + AGAIN_AFTER_MS);
        failed(error);
      });
    },
  };
}

const SINCE = 'credential_use.since';

/** From the first start that notes it on: what was before, nobody knows. */
export async function beginToNote(settings: Pick<SettingStore, 'setOnce'>, clock: Clock): Promise<void> {
  await settings.setOnce(SINCE, String(clock.now()));
}

/** Epoch ms; undefined: it was never begun. */
export async function notedSince(settings: Pick<SettingStore, 'get'>): Promise<number | undefined> {
  const since = await settings.get(SINCE);
  return since === undefined ? undefined : Number(since);
}
