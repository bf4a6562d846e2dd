import type { Identity, ObjectChange } from '@countersign/admin-api';
import { type ReactNode, useState } from 'react';
import { useAct } from '../connection/use-act.ts';
import { useAdmin, useMay } from '../connection/use-admin.tsx';
import { Changes } from '../parts/changes.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { Link } from '../routing/navigation.tsx';

type Move = 'submit' | 'activate' | 'suspend' | 'resume' | 'restore';

const WORD: Readonly<Record<Move, string>> = {
  submit: 'Ask for approval',
  activate: 'Put to work',
  suspend: 'Suspend',
  resume: 'Put back to work',
  restore: 'Bring back, suspended',
};

const MOVES: Partial<Readonly<Record<Identity['state'], readonly Move[]>>> = {
  draft: ['submit', 'activate'],
  approved: ['activate'],
  active: ['suspend'],
  suspended: ['resume'],
  decommissioning: ['restore'],
};

/** What can be done with a machine in its state; each shows first what it would change. */
export function IdentityActions({ identity }: { identity: Identity }): ReactNode {
  const may = useMay('identities:write');
  const mayCut = useMay('cutoffs:write');
  const [move, setMove] = useState<Move>();
  return (
    <>
      {may && !identity.built_in
        ? (MOVES[identity.state] ?? []).map((each) => (
            <button key={each} type="button" onClick={() => setMove(each)}>
              {WORD[each]}…
            </button>
          ))
        : null}
      {mayCut && !identity.built_in ? (
        <Link to={{ screen: 'cutoffs', query: { kind: 'identity', id: identity.client_id } }}>Cut off…</Link>
      ) : null}
      {move === undefined ? null : (
        <Dialog title={`${WORD[move]}: ${identity.client_id}`} onClose={() => setMove(undefined)}>
          <Confirm identity={identity} move={move} done={() => setMove(undefined)} />
        </Dialog>
      )}
    </>
  );
}

function Confirm({ identity, move, done }: { identity: Identity; move: Move; done: () => void }): ReactNode {
  const { client } = useAdmin();
  const act = useAct();
  const [reason, setReason] = useState('');
  const [changes, setChanges] = useState<readonly ObjectChange[]>();
  const needed = move !== 'submit' && move !== 'activate';
  const input = { params: { id: identity.id }, body: { reason: reason.trim() } };
  const look = (): Promise<boolean> =>
    act.run(async () => setChanges((await client.preview(`identities.${move}`, input)).changes));
  const carryOut = async (): Promise<void> => {
    if (await act.run(() => client.call(`identities.${move}`, input))) done();
  };
  return (
    <form
      className="act"
      onSubmit={(event) => {
        event.preventDefault();
        void (changes === undefined ? look() : carryOut());
      }}
    >
      <label>
        Why; it stays in the audit log
        <input
          required={needed}
          maxLength={1000}
          value={reason}
          onChange={(event) => {
            setReason(event.target.value);
            setChanges(undefined);
          }}
        />
      </label>
      {act.error === undefined ? null : <Problem error={act.error} />}
      {changes?.map((change) => (
        <div key={`${change.kind} ${change.name}`}>
          <h3>
            {change.op} {change.kind} {change.name}
          </h3>
          <Changes before={change.before} after={change.after} fields={change.fields} />
        </div>
      ))}
      <p className="actions">
        {changes === undefined ? (
          <button disabled={act.busy}>See what it would change</button>
        ) : (
          <button className={move === 'suspend' ? 'danger' : 'primary'} disabled={act.busy}>
            {WORD[move]}
          </button>
        )}
        <button type="button" onClick={done}>
          Not yet
        </button>
      </p>
    </form>
  );
}
