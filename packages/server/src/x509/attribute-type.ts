// Attribute types of names: RFC 4514 §3 (those that every reader knows) and RFC 4519, RFC 2985, RFC 5280 appendix A.

const SHORT_NAMES: { readonly [name: string]: string } = {
  cn: '2.5.4.3',
  sn: '2.5.4.4',
  serialnumber: '2.5.4.5',
  c: '2.5.4.6',
  l: '2.5.4.7',
  st: '2.5.4.8',
  street: '2.5.4.9',
  o: '2.5.4.10',
  ou: '2.5.4.11',
  title: '2.5.4.12',
  postalcode: '2.5.4.17',
  name: '2.5.4.41',
  givenname: '2.5.4.42',
  initials: '2.5.4.43',
  generationqualifier: '2.5.4.44',
  dnqualifier: '2.5.4.46',
  pseudonym: '2.5.4.65',
  organizationidentifier: '2.5.4.97',
  uid: '0.9.2342.19200300.100.1.1',
  dc: '0.9.2342.19200300.100.1.25',
  emailaddress: '1.2.840.113549.1.9.1',
};

export const COMMON_NAME = '2.5.4.3';
export const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

const DOTTED = /^[0-2](?:\.(?:0|[1-9]\d{0,18})){1,20}$/;

/** RFC 4514 §2.3: a short name in any case, or dotted decimal. Undefined for what is neither. */
export function attributeType(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (Object.hasOwn(SHORT_NAMES, lower)) return SHORT_NAMES[lower];
  return DOTTED.test(text) ? text : undefined;
}
