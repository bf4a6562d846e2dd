// The request cannot be read: RFC 6749 §3.2, §5.2.
import { CORRECT_THE_CLIENT, malformed, type Reasons, type RefusalAnswer } from './entry.ts';

export type RequestReason =
  | 'wrong_content_type'
  | 'credentials_in_query'
  | 'form_bad_percent_encoding'
  | 'form_bad_utf8'
  | 'form_nul'
  | 'form_duplicate_parameter'
  | 'form_too_many_parameters'
  | 'form_name_too_long'
  | 'form_empty_name'
  | 'json_malformed'
  | 'grant_type_missing'
  | 'grant_type_unknown'
  | 'authorization_repeated'
  | 'several_client_auth_methods'
  | 'client_id_mismatch';

const UNREADABLE = malformed('the body is not well-formed');
const UNSUPPORTED_GRANT: RefusalAnswer = {
  code: 'unsupported_grant_type',
  status: 400,
  description: 'this grant_type is not supported',
  stranger: true,
};

export const REQUEST: Reasons<RequestReason> = {
  wrong_content_type: {
    ...malformed('the body must be application/x-www-form-urlencoded', 415),
    why: 'The body was not sent as application/x-www-form-urlencoded.',
    fix: CORRECT_THE_CLIENT,
  },
  credentials_in_query: {
    ...malformed('parameters belong in the body, not in the URL'),
    why: 'Parameters stood in the URL, where logs keep them; they belong in the body.',
    fix: CORRECT_THE_CLIENT,
  },
  form_bad_percent_encoding: {
    ...UNREADABLE,
    why: 'The body has a percent sign without two hex digits behind it.',
    fix: CORRECT_THE_CLIENT,
  },
  form_bad_utf8: {
    ...UNREADABLE,
    why: 'The body is not UTF-8.',
    fix: CORRECT_THE_CLIENT,
  },
  form_nul: {
    ...UNREADABLE,
    why: 'The body holds a NUL character.',
    fix: CORRECT_THE_CLIENT,
  },
  form_duplicate_parameter: {
    ...malformed('a parameter is repeated'),
    why: 'A parameter that may come once came twice.',
    fix: CORRECT_THE_CLIENT,
  },
  form_too_many_parameters: {
    ...malformed('too many parameters'),
    why: 'The body has more parameters than any token request needs.',
    fix: CORRECT_THE_CLIENT,
  },
  form_name_too_long: {
    ...UNREADABLE,
    why: 'The body has a parameter with an overlong name.',
    fix: CORRECT_THE_CLIENT,
  },
  form_empty_name: {
    ...UNREADABLE,
    why: 'The body has a parameter without a name.',
    fix: CORRECT_THE_CLIENT,
  },
  json_malformed: {
    ...UNREADABLE,
    why: 'The body is JSON, but no flat object of texts with each name once; better send a form.',
    fix: CORRECT_THE_CLIENT,
  },
  grant_type_missing: {
    ...malformed('grant_type is missing'),
    why: 'The request names no grant_type.',
    fix: CORRECT_THE_CLIENT,
  },
  grant_type_unknown: {
    ...UNSUPPORTED_GRANT,
    why: 'The grant_type is none of those that the metadata of the authority lists.',
    fix: 'Ask with grant_type=client_credentials.',
  },
  authorization_repeated: {
    ...malformed('more than one Authorization header'),
    why: 'The request has two Authorization headers.',
    fix: CORRECT_THE_CLIENT,
  },
  several_client_auth_methods: {
    ...malformed('more than one way of client authentication'),
    why: 'The client proved itself in two ways at once; only one may be used.',
    fix: CORRECT_THE_CLIENT,
  },
  client_id_mismatch: {
    ...malformed('client_id differs from the authenticated client'),
    why: 'The client_id in the body is another than the one that was proved.',
    fix: CORRECT_THE_CLIENT,
  },
};
