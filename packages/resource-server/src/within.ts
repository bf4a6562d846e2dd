// No RFC: waiting for somebody who may never answer.

/** What comes of `work`, or undefined where that takes longer. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
