// Form bodies of the token endpoint: RFC 6749 §3.2, appendix B.
import { asBuffer, type Form, parseForm } from '@countersign/protocol';
import { Refusal } from '../refusal.ts';

/**
 * A machine sends the same body each time: forms that hold no secret are kept as they were read, and with them what
 * grants make of them. Bounded in number and size; the oldest leave first.
 */
export class FormMemory {
  static readonly #capacity = 1024;
  static readonly #maxBytes = 512;
  readonly #forms = new Map<string, Form>();

  /** Throws `Refusal` for a body that is no form. */
  read(body: Uint8Array): Form {
    const text = body.length <= FormMemory.#maxBytes ? asBuffer(body).toString('latin1') : undefined;
    const known = text === undefined ? undefined : this.#forms.get(text);
    if (known !== undefined) return known;
    const parsed = parseForm(body);
    if (!parsed.ok) throw new Refusal(`form_${parsed.fault}`);
    if (text !== undefined && holdsNoSecret(parsed.form)) this.#keep(text, parsed.form);
    return parsed.form;
  }

  #keep(text: string, form: Form): void {
    if (this.#forms.size >= FormMemory.#capacity) {
      const oldest = this.#forms.keys().next();
      if (oldest.done !== true) this.#forms.delete(oldest.value);
    }
    this.#forms.set(text, form);
  }
}

/** Parameters that are none of a secret's business: a body with any other one is not kept. */
const HARMLESS = new Set(['grant_type', 'scope', 'resource', 'audience', 'client_id']);
/** How secrets and opaque tokens of ours begin, for those who put them into the wrong parameter. */
const SECRET = /c(?:sk|ak|it|dc|ot)_/;

function holdsNoSecret(form: Form): boolean {
  return form
    .names()
    .every((name) => HARMLESS.has(name) && !form.all(name).some((value) => SECRET.test(value)));
}
