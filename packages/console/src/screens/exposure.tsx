import type { CutoffResourceServer } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { plural, seconds } from '../words/time.ts';

const OBEYS: Readonly<Record<CutoffResourceServer['obeys'], string>> = {
  at_once: 'obeys at once',
  feed: 'follows the feed of cut-offs',
  expiry: 'does not follow: its tokens end by their time',
};

type Follower = CutoffResourceServer['followers'][number];

const FOLLOWER: Readonly<
  Record<Follower['state'], { readonly mark: string; readonly word: string; readonly tone: string }>
> = {
  confirmed: { mark: '✓', word: 'confirmed', tone: 'good' },
  waiting: { mark: '…', word: 'has not said so yet', tone: 'warn' },
  silent: { mark: '■', word: 'nothing is heard of it', tone: 'bad' },
  started_after: { mark: '✓', word: 'knew it from its start', tone: 'good' },
  following: { mark: '●', word: 'follows', tone: 'calm' },
};

/** For each API how long a token could still be taken there, worst first; after the order its receipts, as they come in. */
export function Exposure({
  servers,
  ordered,
}: {
  servers: readonly CutoffResourceServer[];
  ordered: boolean;
}): ReactNode {
  const longest = Math.max(1, ...servers.map(({ worst_case: worst }) => worst));
  if (servers.length === 0) return <p>No API is reached by it.</p>;
  return (
    <ul className="exposure">
      {servers.map((server) => (
        <li key={server.resource_server}>
          <div className="exposure-head">
            <strong>{server.identifier}</strong>
            <span>
              at the worst {seconds(server.worst_case)} <span className="quiet">{OBEYS[server.obeys]}</span>
            </span>
          </div>
          <meter
            min={0}
            max={longest}
            value={server.worst_case}
            aria-label={`Worst case at ${server.identifier}`}
          />
          <p className="quiet">
            {plural(server.connected, 'verifier')} connected, {server.silent} silent
            {ordered ? `; ${server.confirmed} confirmed, ${server.waiting} waiting` : ''}
            {server.slowest_exposure_ms === null
              ? ''
              : `; the slowest confirmed after ${server.slowest_exposure_ms} ms`}
            {server.attempts === 0 ? '' : `; ${plural(server.attempts, 'request')} refused since`}
          </p>
          <ul className="followers">
            {server.followers.map((each) => (
              <li key={each.instance} className={`state-${FOLLOWER[each.state].tone}`}>
                <span aria-hidden="true">{FOLLOWER[each.state].mark}</span> {each.instance}:{' '}
                {FOLLOWER[each.state].word}
                {each.exposure_ms === null ? '' : ` after ${each.exposure_ms} ms`}
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}
