// google.protobuf.Struct: JSON as a message. https://protobuf.dev/reference/protobuf/google.protobuf/#struct
import type { MessageWriter } from './writer.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Into a message of type Struct. Every number is a double there: nobody may sign it again as it comes out. */
export function writeStruct(message: MessageWriter, members: { readonly [name: string]: Json }): void {
  for (const [name, value] of Object.entries(members)) {
    message.message(1, (entry) => entry.string(1, name).message(2, (inner) => writeValue(inner, value)));
  }
}

function writeValue(message: MessageWriter, value: Json): void {
  if (value === null) message.varint(1, 0);
  else if (typeof value === 'number') message.double(2, value);
  else if (typeof value === 'string') message.bytes(3, Buffer.from(value));
  else if (typeof value === 'boolean') message.varint(4, value ? 1 : 0);
  else if (isList(value)) {
    message.message(6, (list) => {
      for (const each of value) list.message(1, (inner) => writeValue(inner, each));
    });
  } else message.message(5, (struct) => writeStruct(struct, value));
}

function isList(value: readonly Json[] | { readonly [name: string]: Json }): value is readonly Json[] {
  return Array.isArray(value);
}
