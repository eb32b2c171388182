// SPDX-License-Identifier: Apache-2.0
/*
 * go_error_words: see go_error_words.h. The Error methods in Go's src/net/net.go, src/os/error.go,
 * src/net/url/url.go, src/syscall, src/context/context.go, src/errors/join.go, src/crypto/tls/{alert,common,conn}.go,
 * src/crypto/x509/verify.go, src/net/http/{transport,h2_bundle}.go, internal/http2/{errors,
 * transport}.go, golang.org/x/net/http2/errors.go; Go 1.19 to 1.27.
 */
#include <ctype.h>

#include "db_error.h"
#include "go_error_words.h"
#include "ip_text.h"
#include "panic.h"

/* Types whose text is a constant, with what they wrap behind it. */
static const struct {
	const char *type, *text;
} constants[] = {
	{"context.deadlineExceededError", "context deadline exceeded"},
	{"*net.timeoutError", "i/o timeout"},
	{"net.canceledError", "operation was canceled"},
	{"*internal/poll.DeadlineExceededError", "i/o timeout"},
	{"*errors.joinError", ""},
	{"*github.com/jackc/pgx/v5/pgconn.errTimeout", "timeout"},
	{"*github.com/jackc/pgx/v5/pgconn.contextAlreadyDoneError", "context already done"},
	{"*github.com/jackc/pgconn.errTimeout", "timeout"},
	{"*github.com/jackc/pgconn.contextAlreadyDoneError", "context already done"},
	{"*github.com/jackc/pgconn.writeError", "write failed"},
	{"internal/poll.errNetClosing", "use of closed network connection"},
	{"net/http.tlsHandshakeTimeoutError", "net/http: TLS handshake timeout"},
	{"*crypto/tls.CertificateVerificationError", "tls: failed to verify certificate"},
	{"crypto/x509.UnknownAuthorityError", "x509: certificate signed by unknown authority"},
	{"net/http.http2noCachedConnError", "http2: no cached connection was available"},
};

/* RFC 8446, B.2, and its forerunners; in Go's words. */
static const char *const alerts[256] = {
	[0] = "close notify",
	[10] = "unexpected message",
	[20] = "bad record MAC",
	[21] = "decryption failed",
	[22] = "record overflow",
	[30] = "decompression failure",
	[40] = "handshake failure",
	[42] = "bad certificate",
	[43] = "unsupported certificate",
	[44] = "revoked certificate",
	[45] = "expired certificate",
	[46] = "unknown certificate",
	[47] = "illegal parameter",
	[48] = "unknown certificate authority",
	[49] = "access denied",
	[50] = "error decoding message",
	[51] = "error decrypting message",
	[60] = "export restriction",
	[70] = "protocol version not supported",
	[71] = "insufficient security level",
	[80] = "internal error",
	[86] = "inappropriate fallback",
	[90] = "user canceled",
	[100] = "no renegotiation",
	[109] = "missing extension",
	[110] = "unsupported extension",
	[111] = "certificate unobtainable",
	[112] = "unrecognized name",
	[113] = "bad certificate status response",
	[114] = "bad certificate hash value",
	[115] = "unknown PSK identity",
	[116] = "certificate required",
	[120] = "no application protocol",
	[121] = "encrypted client hello required",
};

/* RFC 9113, 7 */
static const char *const http2_codes[] = {
	"NO_ERROR",
	"PROTOCOL_ERROR",
	"INTERNAL_ERROR",
	"FLOW_CONTROL_ERROR",
	"SETTINGS_TIMEOUT",
	"STREAM_CLOSED",
	"FRAME_SIZE_ERROR",
	"REFUSED_STREAM",
	"CANCEL",
	"COMPRESSION_ERROR",
	"CONNECT_ERROR",
	"ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY",
	"HTTP_1_1_REQUIRED",
};

/* x509.InvalidReason; where "%s" stands for the error's own detail. */
static const char *const certificate_reasons[] = {
	"certificate is not authorized to sign other certificates",
	"certificate has expired or is not yet valid: %s",
	"a root or intermediate certificate is not authorized to sign for this name: %s",
	"too many intermediates for path length constraint",
	"certificate specifies an incompatible key usage",
	"issuer name does not match subject from issuing certificate",
	"issuer has name constraints but leaf doesn't have a SAN extension",
	"issuer has name constraints but leaf contains unknown or unconstrained name: %s",
	"unknown error",
	"a root or intermediate certificate is not authorized for an extended key usage: %s",
	"no valid chains built: %s",
};

static struct otlp_text nth_text(const struct error_link *link, size_t n)
{
	return n < link->text_cnt ? link->texts[n] : text_of("");
}

static uint32_t value_u32(const struct error_link *link, size_t at)
{
	uint32_t n;

	memcpy(&n, link->value.value + at, sizeof(n));
	return n;
}

/* The slice of errors in joinError is all that it has, in wrapErrors it is behind the text. */
static uint64_t other_errors(const struct error_link *link, const char *type)
{
	uint64_t slice[2] = {0};

	if (!strcmp(type, "*errors.joinError"))
		memcpy(slice, link->value.value, sizeof(slice));
	else if (!strcmp(type, "*fmt.wrapErrors"))
		memcpy(slice, link->value.value + 16, sizeof(slice));
	return slice[1] ? slice[1] - 1 : 0;
}

/* Texts on the workbench lie one behind the other: this makes TO longer. */
static void append(struct build_span *b, struct otlp_text *to, struct otlp_text more)
{
	to->len += build__clean(b, more).len;
}

static void append_some(struct build_span *b, struct otlp_text *to, const char *before,
			struct otlp_text more)
{
	if (!more.len)
		return;
	append(b, to, text_of(before));
	append(b, to, more);
}

static struct otlp_text errno_words(struct build_span *b, const struct error_link *link)
{
	const char *text;
	uint64_t number;

	memcpy(&number, link->value.value, sizeof(number));
	text = number < 4096 ? strerrordesc_np(number) : NULL;
	if (!text)
		return build__printf(b, "errno %llu", (unsigned long long)number);
	/* Go's own table has the words of Linux, in lower case */
	return build__printf(b, "%c%s", tolower(text[0]), text + 1);
}

static bool is_set(const struct ip_address *address)
{
	return address->len || address->port;
}

/* "dial tcp 192.0.2.1:80", "read tcp 192.0.2.7:4711->192.0.2.1:80" */
static struct otlp_text op_words(struct build_span *b, const struct error_link *link)
{
	const struct ip_address *from = &link->addresses[0], *to = &link->addresses[1];
	bool has_source = link->address_cnt > 1 && is_set(from);
	struct otlp_text words = build__clean(b, nth_text(link, 0));

	append_some(b, &words, " ", nth_text(link, 1));
	if (has_source) {
		append(b, &words, text_of(" "));
		words.len += ip_text__endpoint(b, from).len;
	}
	if (link->address_cnt > 1 && is_set(to)) {
		append(b, &words, text_of(has_source ? "->" : " "));
		words.len += ip_text__endpoint(b, to).len;
	}
	append_some(b, &words, " ", nth_text(link, 2)); /* path of a unix socket */
	return words;
}

static struct otlp_text dns_words(struct build_span *b, const struct error_link *link)
{
	struct otlp_text words = build__clean(b, text_of("lookup "));

	append(b, &words, nth_text(link, 0));
	append_some(b, &words, " on ", nth_text(link, 2));
	append_some(b, &words, ": ", nth_text(link, 1));
	return words;
}

static struct otlp_text addr_words(struct build_span *b, const struct error_link *link)
{
	struct otlp_text words = build__clean(b, text_of("address "));

	append(b, &words, nth_text(link, 0));
	append_some(b, &words, ": ", nth_text(link, 1));
	return words;
}

static struct otlp_text certificate_words(struct build_span *b, const struct error_link *link)
{
	/* {Cert *Certificate, Reason InvalidReason (an int), Detail string} */
	uint32_t reason = value_u32(link, 8);
	struct otlp_text words = build__clean(b, text_of("x509: "));
	const char *text, *detail;

	if (reason >= sizeof(certificate_reasons) / sizeof(certificate_reasons[0])) {
		append(b, &words, text_of("unknown error"));
		return words;
	}
	text = certificate_reasons[reason];
	detail = strstr(text, "%s");
	if (detail && !link->text_cnt)
		detail -= strlen(": ");
	append(b, &words,
	       (struct otlp_text){text, detail ? (size_t)(detail - text) : strlen(text)});
	if (detail)
		append(b, &words, nth_text(link, 0));
	return words;
}

/* The names that it is valid for may be many: Go lists them, this does not. */
static struct otlp_text hostname_words(struct build_span *b, const struct error_link *link)
{
	struct otlp_text words = build__clean(b, text_of("x509: certificate is not valid for "));

	append(b, &words, nth_text(link, 0));
	return words;
}

static struct otlp_text alert_words(struct build_span *b, const struct error_link *link)
{
	uint8_t alert = link->value.value[0];

	if (!alerts[alert])
		return build__printf(b, "tls: alert(%u)", alert);
	return build__printf(b, "tls: %s", alerts[alert]);
}

static struct otlp_text record_words(struct build_span *b, const struct error_link *link)
{
	struct otlp_text words = build__clean(b, text_of("tls: "));

	append(b, &words, nth_text(link, 0));
	return words;
}

static struct otlp_text code_words(struct build_span *b, uint32_t code)
{
	if (code < sizeof(http2_codes) / sizeof(http2_codes[0]))
		return build__clean(b, text_of(http2_codes[code]));
	return build__printf(b, "unknown error code 0x%x", code);
}

static struct otlp_text stream_words(struct build_span *b, const struct error_link *link)
{
	struct otlp_text words =
		build__printf(b, "stream error: stream ID %u; ", value_u32(link, 0));

	words.len += code_words(b, value_u32(link, 4)).len;
	return words;
}

static struct otlp_text go_away_words(struct build_span *b, const struct error_link *link)
{
	struct otlp_text words =
		build__printf(b,
			      "http2: server sent GOAWAY and closed the connection; "
			      "LastStreamID=%u, ErrCode=",
			      value_u32(link, 0));

	words.len += code_words(b, value_u32(link, 4)).len;
	append(b, &words, text_of(", debug=\""));
	append(b, &words, nth_text(link, 0));
	append(b, &words, text_of("\""));
	return words;
}

static struct otlp_text connection_words(struct build_span *b, const struct error_link *link)
{
	struct otlp_text words = build__clean(b, text_of("connection error: "));

	words.len += code_words(b, value_u32(link, 0)).len;
	return words;
}

/* Method and URL: the span has them, and the URL may hold secrets. */
static struct otlp_text no_words(struct build_span *b, const struct error_link *link)
{
	return build__clean(b, text_of(""));
}

static struct otlp_text first_text(struct build_span *b, const struct error_link *link)
{
	return build__clean(b, nth_text(link, 0));
}

static const struct {
	const char *type;
	struct otlp_text (*words)(struct build_span *b, const struct error_link *link);
} makers[] = {
	{"syscall.Errno", errno_words},
	{"*os.SyscallError", first_text},
	{"*net.OpError", op_words},
	{"*net.DNSError", dns_words},
	{"*net.AddrError", addr_words},
	{"*net/url.Error", no_words},
	{"*fmt.wrapError", first_text},
	{"*fmt.wrapErrors", first_text},
	{"*crypto/tls.permanentError", no_words},
	{"*net/http.timeoutError", first_text},
	{"*net/http.httpError", first_text}, /* to Go 1.22 */
	{"*net/http.ProtocolError", first_text},
	{"*net/http.http2httpError", first_text},
	{"*net/http/internal/http2.httpError", first_text},
	{"*golang.org/x/net/http2.httpError", first_text},
	{"crypto/tls.alert", alert_words},
	{"crypto/tls.RecordHeaderError", record_words},
	{"crypto/x509.CertificateInvalidError", certificate_words},
	{"crypto/x509.HostnameError", hostname_words},
	{"net/http.http2StreamError", stream_words},
	{"net/http/internal/http2.StreamError", stream_words},
	{"golang.org/x/net/http2.StreamError", stream_words},
	{"net/http.http2GoAwayError", go_away_words},
	{"net/http/internal/http2.GoAwayError", go_away_words},
	{"golang.org/x/net/http2.GoAwayError", go_away_words},
	{"net/http.http2ConnectionError", connection_words},
	{"net/http/internal/http2.ConnectionError", connection_words},
	{"golang.org/x/net/http2.ConnectionError", connection_words},
};

struct error_words go_error__words(struct build_span *b, const struct resolve *r,
				   const struct error_link *link, const char *type, uint64_t bias)
{
	struct error_words out = {.before_wrapped = ": ", .more = other_errors(link, type)};
	struct panic_record raised = {.value = link->value, .text = nth_text(link, 0)};
	struct panic panic;

	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (!strcmp(type, constants[i].type)) {
			out.text = build__clean(b, text_of(constants[i].text));
			return out;
		}
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (!strcmp(type, makers[i].type)) {
			out.text = makers[i].words(b, link);
			if (makers[i].words == stream_words)
				out.before_wrapped = "; ";
			out.complete = !strncmp(type, "*fmt.wrapError", strlen("*fmt.wrapError"));
			return out;
		}
	if (db_error__is(type)) {
		out.text = build__clean(b, nth_text(link, 0));
		return out;
	}
	panic__describe(b, r, &raised, bias, &panic);
	out.text = build__clean(b, panic.text);
	return out;
}
