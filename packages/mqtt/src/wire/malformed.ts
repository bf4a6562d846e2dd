// MQTT 5.0 §4.13.1: what cannot be read ends the connection, with a code that says what it was.
import { MALFORMED_PACKET } from './reason-code.ts';

/** Thrown where a packet cannot be read; the session ends with `code`. */
export class Malformed extends Error {
  readonly code: number;

  constructor(what: string, code: number = MALFORMED_PACKET) {
    super(what);
    this.name = 'Malformed';
    this.code = code;
  }
}
