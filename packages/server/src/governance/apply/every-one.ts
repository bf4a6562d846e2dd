import type { Page, PageRequest, Position } from '../../storage/page.ts';
import { createGiveWay } from '../../telemetry/pacer.ts';

/** Rows that are read without a break. */
const PAGE = 250;

/** Every row of a list, page after page; the event loop turns in between. */
export async function* everyOne<T>(list: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  const giveWay = createGiveWay();
  let after: Position | undefined;
  do {
    const page = await list({ limit: PAGE, after });
    yield* page.items;
    after = page.next;
    await giveWay();
  } while (after !== undefined);
}
