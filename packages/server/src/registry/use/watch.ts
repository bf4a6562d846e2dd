import type { SettingStore } from '../../storage/settings.ts';

/** Since when the authority has been there to see use: after a pause nobody knows what would have been used in it. */

const SINCE = 'use.watched_since';
const LATELY = 'use.watched_until';
/** A pause that matters. Shorter ones, such as an update, are no reason to begin anew. */
export const PAUSE_MS: number = 2 * 86_400_000;

/** Called now and then while the authority runs. Gives the beginning (epoch ms) of the time in which it was there. */
export async function keepWatch(settings: SettingStore, now: number): Promise<number> {
  const [since, until] = [await instant(settings, SINCE), await instant(settings, LATELY)];
  const paused = since === undefined || until === undefined || now - until > PAUSE_MS;
  if (paused) await settings.set(SINCE, String(now));
  if (until === undefined || now > until) await settings.set(LATELY, String(now));
  return paused ? now : since;
}

/** Undefined: it never was. */
export async function watchedSince(settings: Pick<SettingStore, 'get'>): Promise<number | undefined> {
  return await instant(settings, SINCE);
}

async function instant(settings: Pick<SettingStore, 'get'>, name: string): Promise<number | undefined> {
  const text = await settings.get(name);
  return text === undefined ? undefined : Number(text);
}
