import { authorityView } from '../../ca/view.ts';
import type { Storage } from '../../storage/storage.ts';
import type { NounHandlers } from './endpoint.ts';

export function certificateAuthorityHandlers(deps: {
  readonly storage: Pick<Storage, 'certificateAuthorities'>;
}): NounHandlers<'certificate-authorities'> {
  return {
    'certificate-authorities.list': {
      kind: 'read',
      async run() {
        const live = await deps.storage.certificateAuthorities.live();
        return { body: { items: live.map(authorityView), next_cursor: null } };
      },
    },
  };
}
