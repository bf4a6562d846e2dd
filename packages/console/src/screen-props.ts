import type { Query } from './routing/place.ts';

export interface ScreenProps {
  /** Id, client_id or jti of what the screen is about. */
  readonly subject: string | undefined;
  /** Filters, as the address has them. */
  readonly query: Query;
}
