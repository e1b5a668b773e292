/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault.h"
#include "fault_answer.h"
#include "fault_delivery.h"

/* Every type of RFC 8555 6.7, RFC 9773 7.4 and the profiles draft, with its usual status. */
#define PROBLEMS                                                                                   \
	"[{\"type\":\"accountDoesNotExist\",\"status\":400},"                                      \
	"{\"type\":\"alreadyReplaced\",\"status\":409},"                                           \
	"{\"type\":\"alreadyRevoked\",\"status\":400},"                                            \
	"{\"type\":\"badCSR\",\"status\":400},"                                                    \
	"{\"type\":\"badNonce\",\"status\":400},"                                                  \
	"{\"type\":\"badPublicKey\",\"status\":400},"                                              \
	"{\"type\":\"badRevocationReason\",\"status\":400},"                                       \
	"{\"type\":\"badSignatureAlgorithm\",\"status\":400},"                                     \
	"{\"type\":\"caa\",\"status\":403},"                                                       \
	"{\"type\":\"compound\",\"status\":400},"                                                  \
	"{\"type\":\"connection\",\"status\":400},"                                                \
	"{\"type\":\"dns\",\"status\":400},"                                                       \
	"{\"type\":\"externalAccountRequired\",\"status\":401},"                                   \
	"{\"type\":\"incorrectResponse\",\"status\":403},"                                         \
	"{\"type\":\"invalidContact\",\"status\":400},"                                            \
	"{\"type\":\"invalidProfile\",\"status\":400},"                                            \
	"{\"type\":\"malformed\",\"status\":400},"                                                 \
	"{\"type\":\"orderNotReady\",\"status\":403},"                                             \
	"{\"type\":\"rateLimited\",\"status\":429},"                                               \
	"{\"type\":\"rejectedIdentifier\",\"status\":400},"                                        \
	"{\"type\":\"serverInternal\",\"status\":500},"                                            \
	"{\"type\":\"tls\",\"status\":400},"                                                       \
	"{\"type\":\"unauthorized\",\"status\":403},"                                              \
	"{\"type\":\"unsupportedContact\",\"status\":400},"                                        \
	"{\"type\":\"unsupportedIdentifier\",\"status\":400},"                                     \
	"{\"type\":\"userActionRequired\",\"status\":403},"                                        \
	"{\"type\":\"neverHeardOf\",\"status\":400},"                                              \
	"{\"type\":\"rateLimited\",\"status\":429,\"retry-after\":\"2\"},"                         \
	"{\"type\":\"serverInternal\",\"status\":500,\"content-type\":\"application/json\"}]"

#define STATUSES                                                                                   \
	"[{\"status\":200},{\"status\":204},{\"status\":299},{\"status\":301},{\"status\":304},"   \
	"{\"status\":400},{\"status\":401},{\"status\":403},{\"status\":404},{\"status\":405},"    \
	"{\"status\":409},{\"status\":418},{\"status\":429},{\"status\":500},{\"status\":502},"    \
	"{\"status\":503},{\"status\":504},{\"status\":599}]"

#define BUSY                                                                                       \
	"[{\"status\":503,\"retry-after\":\"1\"},{\"status\":429,\"retry-after\":\"1\"},"          \
	"{\"status\":503,\"date-in\":2},{\"status\":429,\"date-in\":2},"                           \
	"{\"status\":503,\"date-in\":-3600},{\"status\":503},{\"status\":429},"                    \
	"{\"status\":503,\"retry-after\":\"99999999999999999999\"},"                               \
	"{\"status\":429,\"retry-after\":\"2000000000\"},"                                         \
	"{\"status\":503,\"retry-after\":\"-5\"},{\"status\":503,\"retry-after\":\"soon\"},"       \
	"{\"status\":503,\"retry-after\":\"\"}]"

#define CERT_FORMS                                                                                 \
	"[{\"form\":\"garbage\"},{\"form\":\"no-newline\"},{\"form\":\"extra-text\"},"             \
	"{\"form\":\"crlf\"},{\"form\":\"leaf-only\"},{\"form\":\"reversed\"},"                    \
	"{\"form\":\"other-issuer\"},{\"form\":\"empty\"},{\"form\":\"der\"},"                     \
	"{\"form\":\"half\"},{\"form\":\"blank-lines\"}]"

const struct fault_kind fault_kinds[FAULT_COUNT] = {
    [FAULT_STATUS] = {"status", "answer", FAULT_INSTEAD, NULL, "status:n location:s processed:b",
	"That status with one line of text.", STATUSES, fault_status},
    [FAULT_PROBLEM] = {"problem", "answer", FAULT_INSTEAD, NULL,
	"type:s status:n detail:s retry-after:s content-type:s subproblems:l processed:b",
	"A problem document of that ACME type.", PROBLEMS, fault_problem},
    [FAULT_BUSY] = {"busy", "answer", FAULT_INSTEAD, NULL,
	"status:n retry-after:s date-in:i processed:b",
	"429 or 503 with Retry-After: the text as it is, or the date in so many seconds, or none.",
	BUSY, fault_busy},
    [FAULT_BAD_NONCE] = {"bad-nonce", "answer", FAULT_INSTEAD, NULL, "",
	"400 badNonce with a fresh nonce.", "[{}]", fault_bad_nonce},
    [FAULT_HTML] = {"html", "answer", FAULT_INSTEAD, NULL, "status:n processed:b",
	"A HTML page of a proxy.", "[{\"status\":200},{\"status\":502}]", fault_html},
    [FAULT_EMPTY] = {"empty", "answer", FAULT_INSTEAD, NULL, "status:n processed:b",
	"No body and no Content-Type.", "[{\"status\":200},{\"status\":500}]", fault_empty},
    [FAULT_HUGE] = {"huge", "answer", FAULT_INSTEAD, NULL, "status:n bytes:n processed:b",
	"One JSON string of so many bytes (50 MB unless said).",
	"[{\"status\":200},{\"status\":500,\"bytes\":5000000}]", fault_huge},
    [FAULT_NESTED] = {"nested", "answer", FAULT_INSTEAD, NULL, "status:n depth:n processed:b",
	"JSON lists in lists, so deep (100,000 unless said).",
	"[{\"status\":200},{\"status\":400,\"depth\":2000}]", fault_nested},
    [FAULT_GARBAGE] = {"garbage", "answer", FAULT_INSTEAD, NULL, "status:n bytes:n processed:b",
	"Random bytes that call themselves JSON.", "[{\"status\":200},{\"status\":500}]",
	fault_garbage},
    [FAULT_JSON] = {"json", "answer", FAULT_INSTEAD, NULL, "status:n body:a processed:b",
	"This JSON, which is not what was asked for.",
	"[{\"body\":{}},{\"body\":[]},{\"body\":null},{\"body\":\"text\"},"
	"{\"body\":{\"status\":17,\"identifiers\":{},\"authorizations\":[1],\"finalize\":null,"
	"\"newNonce\":[],\"challenges\":\"none\"}}]",
	fault_json},
    [FAULT_CUT_JSON] = {"cut-json", "answer", FAULT_AFTER, NULL, "",
	"The first half of the honest body, properly framed.", "[{}]", fault_cut_json},
    [FAULT_NUL] = {"nul", "answer", FAULT_AFTER, NULL, "", "NUL bytes within the honest body.",
	"[{}]", fault_nul},
    [FAULT_CONTENT_TYPE] = {"content-type", "answer", FAULT_AFTER, NULL, "value:s",
	"Another Content-Type; none if empty.",
	"[{\"value\":\"text/plain\"},{\"value\":\"text/html; charset=utf-8\"},{\"value\":\"\"}]",
	fault_content_type},
    [FAULT_HEADER] = {"header", "answer", FAULT_AFTER, NULL, "header:s value:s",
	"That header instead of the honest one.",
	"[{\"header\":\"Location\",\"value\":\"http://127.0.0.1:9/elsewhere\"},"
	"{\"header\":\"Location\",\"value\":\"not a URL\"},"
	"{\"header\":\"Replay-Nonce\",\"value\":\"!*\"}]",
	fault_header},
    [FAULT_NO_HEADER] = {"no-header", "answer", FAULT_AFTER, NULL, "header:s",
	"Without that header.", "[{\"header\":\"Location\"}]", fault_no_header},
    [FAULT_NO_NONCE] = {"no-nonce", "answer", FAULT_AFTER, NULL, "", "Without Replay-Nonce.",
	"[{}]", fault_no_nonce},
    [FAULT_USED_NONCE] = {"used-nonce", "answer", FAULT_AFTER, NULL, "",
	"A Replay-Nonce that will not be taken.", "[{}]", fault_used_nonce},

    [FAULT_DELAY] = {"delay", "delivery", FAULT_AFTER, NULL, "ms:n",
	"The answer starts so many milliseconds late.", "[{\"ms\":700}]", fault_delay},
    [FAULT_SLOW_HEAD] = {"slow-head", "delivery", FAULT_AFTER, NULL, "ms:n bytes:n",
	"Status line and headers in pieces of so many bytes.",
	"[{\"ms\":20,\"bytes\":10},{\"ms\":1000,\"bytes\":1}]", fault_slow_head},
    [FAULT_SLOW_BODY] = {"slow-body", "delivery", FAULT_AFTER, NULL, "ms:n bytes:n",
	"The body in pieces of so many bytes.",
	"[{\"ms\":20,\"bytes\":20},{\"ms\":1000,\"bytes\":1}]", fault_slow_body},
    [FAULT_SILENCE] = {"silence", "delivery", FAULT_AFTER, NULL, "",
	"No answer; the connection stays open.", "[{}]", fault_silence},
    [FAULT_RESET] = {"reset", "delivery", FAULT_AFTER, NULL,
	"at:=request|in-headers|headers|body fin:b",
	"The connection ends at: request (before a byte of the answer), in-headers, headers "
	"(behind "
	"them), body (in its middle). By RST, or by FIN without close_notify.",
	"[{\"at\":\"request\"},{\"at\":\"in-headers\"},{\"at\":\"headers\"},{\"at\":\"body\"},"
	"{\"at\":\"request\",\"fin\":true},{\"at\":\"in-headers\",\"fin\":true},"
	"{\"at\":\"headers\",\"fin\":true},{\"at\":\"body\",\"fin\":true}]",
	fault_reset},
    [FAULT_CLOSE] = {"close", "delivery", FAULT_AFTER, NULL, "announce:b",
	"The connection is closed behind the answer, with or without saying so.",
	"[{},{\"announce\":true}]", fault_close},
    [FAULT_INTERIM] = {"interim", "delivery", FAULT_AFTER, NULL, "status:n",
	"An answer before the answer.", "[{\"status\":100},{\"status\":103}]", fault_interim},
    [FAULT_CHUNKED] = {"chunked", "delivery", FAULT_AFTER, NULL, "", "The body in chunks.", "[{}]",
	fault_chunked},
    [FAULT_BAD_CHUNK] = {"bad-chunk", "delivery", FAULT_AFTER, NULL, "",
	"A chunk size that is no number.", "[{}]", fault_bad_chunk},
    [FAULT_UNFRAMED] = {"unframed", "delivery", FAULT_AFTER, NULL, "endless:b",
	"Neither Content-Length nor chunks: the body ends with the connection, or never.",
	"[{},{\"endless\":true}]", fault_unframed},
    [FAULT_LENGTH] = {"length", "delivery", FAULT_AFTER, NULL, "add:i fin:b",
	"Content-Length differs by so much; then, if fin, the connection ends.",
	"[{\"add\":100,\"fin\":true},{\"add\":100},{\"add\":-2,\"fin\":true}]", fault_length},
    [FAULT_TWICE] = {"twice", "delivery", FAULT_AFTER, NULL, "copies:n",
	"Two answers to one request, or as many as copies says (at most 8).", "[{}]", fault_twice},
    [FAULT_HUGE_HEAD] = {"huge-head", "delivery", FAULT_AFTER, NULL, "bytes:n",
	"So many bytes of needless headers (200,000 unless said).", "[{}]", fault_huge_head},
    [FAULT_NOT_HTTP] = {"not-http", "delivery", FAULT_AFTER, NULL, "",
	"Something that is not HTTP.", "[{}]", fault_not_http},

    [FAULT_TLS] = {"tls", "connection", FAULT_INSIDE, "connection",
	"certificate:=expired|not-yet|wrong-name|wrong-ca",
	"A server certificate that is expired, not-yet valid, for a wrong-name, of a wrong-ca.",
	"[{\"certificate\":\"expired\"},{\"certificate\":\"not-yet\"},"
	"{\"certificate\":\"wrong-name\"},{\"certificate\":\"wrong-ca\"}]",
	NULL},
    [FAULT_REFUSE] = {"refuse", "connection", FAULT_INSIDE, "connection", "at:=accept|handshake",
	"RST at: accept (before anything is read), handshake (once TLS is up).",
	"[{\"at\":\"accept\"},{\"at\":\"handshake\"}]", NULL},
    [FAULT_MUTE] = {"mute", "connection", FAULT_INSIDE, "connection", "",
	"Accepted and held open; not even a handshake.", "[{}]", NULL},

    [FAULT_REUSE_ORDER] = {"reuse-order", "state", FAULT_INSIDE, "new-order", "",
	"The account's pending or ready order for the same identifiers is given again.", "[{}]",
	NULL},
    [FAULT_AUTHZ_VALID] = {"authz-valid", "state", FAULT_INSIDE, "new-order", "",
	"All authorizations are valid already and the order is ready.", "[{}]", NULL},
    [FAULT_AUTHZ_INVALID] = {"authz-invalid", "state", FAULT_INSIDE, "new-order",
	"order:=pending|ready|invalid",
	"The first authorization is invalid already; the order is as said (pending unless said).",
	"[{},{\"order\":\"invalid\"}]", NULL},
    [FAULT_NO_AUTHORIZATIONS] = {"no-authorizations", "state", FAULT_INSIDE, "new-order",
	"order:=pending|ready|invalid",
	"The list of authorizations is empty; the order is as said (pending unless said).",
	"[{},{\"order\":\"ready\"}]", NULL},
    [FAULT_CHALLENGES] = {"challenges", "state", FAULT_INSIDE, "new-order", "offer:l",
	"Authorizations offer these alone; unknown types come without a token.",
	"[{\"offer\":[]},{\"offer\":[\"sky-writing-01\"]},"
	"{\"offer\":[\"dns-persist-01\",\"http-01\",\"dns-01\",\"sky-writing-01\"]}]",
	NULL},
    [FAULT_STAYS_PENDING] = {"stays-pending", "state", FAULT_INSIDE, "new-order", "polls:n",
	"The order stays pending after its last authorization became valid: for so many polls, or "
	"for ever.",
	"[{\"polls\":3},{}]", NULL},
    [FAULT_CHALLENGE_INVALID] = {"challenge-invalid", "state", FAULT_INSIDE, "challenge",
	"type:s detail:s authorization:=pending|invalid",
	"Validation fails with that problem; the authorization becomes invalid or stays pending.",
	"[{},{\"authorization\":\"pending\"},{\"type\":\"dns\"},{\"type\":\"caa\"},"
	"{\"type\":\"connection\"},{\"type\":\"rateLimited\"}]",
	NULL},
    [FAULT_CHALLENGE_NEVER] = {"challenge-never", "state", FAULT_INSIDE, "challenge", "",
	"The challenge is processing for ever.", "[{}]", NULL},
    [FAULT_CHALLENGE_CONFLICT] = {"challenge-conflict", "state", FAULT_INSIDE, "challenge", "",
	"409 to the second POST to a challenge.", "[{}]", NULL},
    [FAULT_PROCESSING] = {"processing", "state", FAULT_INSIDE, "finalize", "polls:n",
	"The order is processing: for so many polls, or for ever.", "[{\"polls\":2},{}]", NULL},
    [FAULT_LATE_INVALID] = {"late-invalid", "state", FAULT_INSIDE, "finalize",
	"polls:n type:s detail:s",
	"The order is processing for so many polls (1 unless said) and invalid then.",
	"[{},{\"type\":\"caa\",\"polls\":2}]", NULL},

    [FAULT_WRONG_KEY] = {"wrong-key", "certificate", FAULT_INSIDE, "finalize", "",
	"The certificate is for another key.", "[{}]", NULL},
    [FAULT_WRONG_NAMES] = {"wrong-names", "certificate", FAULT_INSIDE, "finalize", "names:l",
	"The certificate is for these names (one of another's unless said).",
	"[{},{\"names\":[\"a.wrong.example\",\"b.wrong.example\"]}]", NULL},
    [FAULT_EXPIRED] = {"expired", "certificate", FAULT_INSIDE, "finalize", "",
	"The certificate has expired.", "[{}]", NULL},
    [FAULT_NOT_YET] = {"not-yet", "certificate", FAULT_INSIDE, "finalize", "",
	"The certificate is valid from tomorrow on.", "[{}]", NULL},
    [FAULT_CHAIN] = {"chain", "certificate", FAULT_INSIDE, "cert",
	"form:=garbage|no-newline|extra-text|crlf|leaf-only|reversed|other-issuer|empty|der|half|"
	"blank-lines",
	"The chain comes as: garbage (PEM around random bytes), no-newline (at its end), "
	"extra-text, "
	"crlf, leaf-only, reversed, other-issuer, empty, der, half (of its bytes), blank-lines.",
	CERT_FORMS, NULL},
};
