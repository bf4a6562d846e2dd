// What happens to clients of a broker, for logs and metrics: never a token, a topic or a message. No RFC.
import type { End } from '../admission/reasons.ts';

export interface AedesEvent {
  /** `denied`: a message or a filter that the client may not use. `withheld`: a message that it may not receive. */
  readonly type: 'accepted' | 'refused' | 'denied' | 'withheld' | 'ended';
  /** As the client called itself, of a refused one whatever it claimed. */
  readonly clientId: string;
  /** The `client_id` of its token; undefined of a refused one. */
  readonly identity?: string | undefined;
  /** Of `refused` and `ended`. */
  readonly reason?: End | undefined;
  /** What exactly was found. */
  readonly detail?: string | undefined;
}

export type Tell = (event: AedesEvent) => void;
