import type { ReviewItem } from '@countersign/admin-api';
import { type ReactNode, useState } from 'react';
import { useAct } from '../connection/use-act.ts';
import { useAdmin, useMay } from '../connection/use-admin.tsx';
import { StateMark, UseMark } from '../parts/marks.tsx';
import { Problem } from '../parts/problem.tsx';
import { Link } from '../routing/navigation.tsx';
import { REVIEW_ITEM_STATE } from '../words/states.ts';
import { day, minute } from '../words/time.ts';

export type Decision = 'keep' | 'reduce' | 'revoke';

const WORD: Readonly<Record<Decision, string>> = { keep: 'Keep', reduce: 'Reduce', revoke: 'Revoke' };

interface OneProps {
  readonly item: ReviewItem;
  readonly decision: Decision | undefined;
  readonly setDecision: (decision: Decision | undefined) => void;
  readonly decided: () => void;
}

/** One access to decide on, with what is known of its use. */
export function ReviewItemOne({ item, decision, setDecision, decided }: OneProps): ReactNode {
  const may = useMay('reviews:decide');
  const usage = item.usage;
  return (
    <>
      <h2>
        <Link to={{ screen: 'identities', subject: item.client_id }}>{item.client_id}</Link> → {item.resource}
      </h2>
      <dl className="facts">
        <dt>State</dt>
        <dd>
          <StateMark of={REVIEW_ITEM_STATE[item.state]} />
          {item.decided_by === null ? '' : ` by ${item.decided_by}`} {item.comment}
        </dd>
        <dt>Why it has it</dt>
        <dd>{item.justification}</dd>
        <dt>Asked, approved</dt>
        <dd>
          {item.requested_by}, {item.approved_by ?? 'nobody'}
        </dd>
        <dt>Owner</dt>
        <dd>
          {item.owner}, {item.environment}
        </dd>
        <dt>Ends</dt>
        <dd>{day(item.expires_at)}</dd>
      </dl>
      <ul className="scopes">
        {item.scopes.map((scope) => {
          const known = usage?.scopes.find((each) => each.scope === scope);
          return (
            <li key={scope}>
              <code>{scope}</code>
              {known === undefined ? null : <UseMark of={known.state} />}
              <span className="quiet">
                {usage?.unknown_because[scope] ?? lastUsed(known?.last_used ?? null)}
              </span>
            </li>
          );
        })}
      </ul>
      {may && item.state === 'pending' ? (
        decision === undefined ? (
          <p className="actions">
            {(['keep', 'reduce', 'revoke'] as const).map((each) => (
              <button key={each} type="button" onClick={() => setDecision(each)}>
                {WORD[each]}
              </button>
            ))}
          </p>
        ) : (
          <Decide
            key={decision}
            item={item}
            decision={decision}
            cancel={() => setDecision(undefined)}
            decided={decided}
          />
        )
      ) : null}
    </>
  );
}

function lastUsed(at: string | null): string {
  return at === null ? '' : `last ${minute(at)}`;
}

interface DecideProps {
  readonly item: ReviewItem;
  readonly decision: Decision;
  readonly cancel: () => void;
  readonly decided: () => void;
}

/** What is known not to be used is what a reduction would leave out. */
function Decide({ item, decision, cancel, decided }: DecideProps): ReactNode {
  const { client } = useAdmin();
  const act = useAct();
  const unused = new Set(
    (item.usage?.scopes ?? []).filter(({ state }) => state === 'unused').map(({ scope }) => scope),
  );
  const [left, setLeft] = useState<ReadonlySet<string>>(
    new Set(item.scopes.filter((scope) => !unused.has(scope))),
  );
  const [comment, setComment] = useState('');
  const decide = async (): Promise<void> => {
    const done = await act.run(() =>
      client.call('reviews.decide', {
        params: { id: item.review },
        body: {
          item: item.id,
          decision,
          version: item.version,
          ...(decision === 'reduce' ? { scopes: item.scopes.filter((scope) => left.has(scope)) } : {}),
          ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
        },
      }),
    );
    if (!done) return;
    cancel();
    decided();
  };
  const toggle = (scope: string): void => {
    const next = new Set(left);
    if (!next.delete(scope)) next.add(scope);
    setLeft(next);
  };
  return (
    <form
      className="act"
      onSubmit={(event) => {
        event.preventDefault();
        void decide();
      }}
    >
      {decision !== 'reduce' ? null : (
        <fieldset>
          <legend>What is left</legend>
          {item.scopes.map((scope) => (
            <label key={scope} className="check">
              <input type="checkbox" checked={left.has(scope)} onChange={() => toggle(scope)} /> {scope}
            </label>
          ))}
        </fieldset>
      )}
      <label>
        {decision === 'keep' ? 'Why, if you like' : 'Why'}
        <input
          autoFocus
          required={decision !== 'keep'}
          maxLength={1000}
          value={comment}
          onChange={(event) => setComment(event.target.value)}
        />
      </label>
      {act.error === undefined ? null : <Problem error={act.error} />}
      <p className="actions">
        <button className={decision === 'keep' ? 'primary' : 'danger'} disabled={act.busy}>
          {WORD[decision]}
        </button>
        <button type="button" onClick={cancel}>
          Not yet
        </button>
      </p>
    </form>
  );
}
