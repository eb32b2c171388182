/* SPDX-License-Identifier: Apache-2.0 */
/* What names and ids are made of: UTF-8, pairs, SHA-1, container ids, service names. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../agent/container.h"
#include "../../../agent/pairs.h"
#include "../../../agent/service_name.h"
#include "../../../agent/utf8.h"
#include "../../../agent/uuid.h"

#define FFFD "\xef\xbf\xbd"
#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER64 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void assert_cleaned(const char *text, size_t len, const char *expected)
{
	char *copy = malloc(len), *clean; /* exactly LEN bytes: ASan sees a read behind them */

	memcpy(copy, text, len);
	clean = utf8__clean(copy, len);
	assert_string_equal(clean, expected);
	free(clean);
	free(copy);
}

static void test_utf8_is_cleaned(void **state)
{
	assert_cleaned("", 0, "");
	assert_cleaned("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10,
		       "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_cleaned("a\0b", 3, "a" FFFD "b");
	assert_cleaned("\xff\xfe", 2, FFFD FFFD);
	assert_cleaned("\xc0\xaf", 2, FFFD FFFD);		 /* overlong */
	assert_cleaned("\xe0\x9f\xbf", 3, FFFD FFFD FFFD);	 /* overlong */
	assert_cleaned("\xf0\x8f\xbf\xbf", 4, FFFD FFFD FFFD FFFD);
	assert_cleaned("\xed\xa0\x80", 3, FFFD FFFD FFFD);	 /* surrogate */
	assert_cleaned("\xf4\x90\x80\x80", 4, FFFD FFFD FFFD FFFD); /* above U+10FFFF */
	assert_cleaned("x\xe2\x82", 3, "x" FFFD FFFD);		 /* cut */
	assert_cleaned("\xe2\x82z", 3, FFFD FFFD "z");
}

static void assert_pair(const char **at, const char *key, const char *value)
{
	char *k, *v;

	assert_int_equal(pairs__next(at, &k, &v), 1);
	assert_string_equal(k, key);
	assert_string_equal(v, value);
	free(k);
	free(v);
}

static void test_pairs(void **state)
{
	const char *at = "a=b, k8s.pod.name = shop 1 ,,c=%2C%3d%41,d=,bad,=x,e=%4,f=1=2,g=%ff";
	char *k, *v;

	assert_pair(&at, "a", "b");
	assert_pair(&at, "k8s.pod.name", "shop 1");
	assert_pair(&at, "c", ",=A");
	assert_pair(&at, "d", "");
	assert_int_equal(pairs__next(&at, &k, &v), -EINVAL);
	assert_int_equal(pairs__next(&at, &k, &v), -EINVAL);
	assert_int_equal(pairs__next(&at, &k, &v), -EINVAL);
	assert_pair(&at, "f", "1=2");
	assert_pair(&at, "g", FFFD);
	assert_int_equal(pairs__next(&at, &k, &v), 0);
	at = " , ";
	assert_int_equal(pairs__next(&at, &k, &v), 0);
}

/* FIPS 180-4 examples, and lengths around the block size against sha1sum(1). */
static void test_sha1(void **state)
{
	static const struct {
		size_t as;
		const char *sum;
	} lengths[] = {
		{ 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
		{ 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
		{ 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
		{ 200, "e61cfffe0d9195a525fc6cf06ca2d77119c24a40" },
	};
	uint8_t text[256], sum[SHA1_SIZE];
	char hex[2 * SHA1_SIZE + 1];
	size_t i, j;

	memset(text, 'a', sizeof(text));
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		sha1(text, lengths[i].as, sum);
		for (j = 0; j < SHA1_SIZE; j++)
			sprintf(hex + 2 * j, "%02x", sum[j]);
		assert_string_equal(hex, lengths[i].sum);
	}
}

/* RFC 9562, A.4 */
static void test_uuid_v5(void **state)
{
	static const uint8_t dns[16] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
					 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };
	char id[UUID_TEXT_SIZE];

	uuid__v5(dns, "www.example.com", strlen("www.example.com"), id);
	assert_string_equal(id, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

static void test_container_of_cgroup(void **state)
{
	static const char *const inside[] = {
		"0::/system.slice/docker-" ID64 ".scope\n",
		"0::/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-" ID64 ".scope\n",
		"0::/kubepods.slice/crio-" ID64 ".scope\n",
		"0::/machine.slice/libpod-" ID64 ".scope/container\n",
		"0::/../cri-containerd-" ID64 ".scope\n",
		"12:pids:/docker/" ID64 "\n11:cpu:/docker/" ID64 "\n0::/\n",
		"9:name=systemd:/kubepods/besteffort/pod1234/" ID64 "\n",
		"5:x:/\n4:cpu:/docker/" OTHER64 "/kubepods/pod1/" ID64 "\n",
	};
	static const char *const outside[] = {
		"", "0::/\n", "0::/user.slice/user-1000.slice/session-3.scope\n",
		"0::/docker/" ID64 "0\n", /* 65 digits */
		"0::/docker/x" ID64 "\n",
		"0::/docker/0123456789abcdef\n",
		"0::/a/" ID64 "g\n",
	};
	char id[CONTAINER_ID_LEN + 1];
	size_t i;

	for (i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		assert_true(container__id_of_cgroup(inside[i], id));
		assert_string_equal(id, ID64);
	}
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_false(container__id_of_cgroup(outside[i], id));
}

static void test_container_of_mountinfo(void **state)
{
	char id[CONTAINER_ID_LEN + 1];

	assert_true(container__id_of_mountinfo("1 2 0:3 / / rw - overlay overlay rw\n"
					       "660 652 8:1 /var/lib/docker/containers/" ID64
					       "/resolv.conf /etc/resolv.conf rw - x\n",
					       id));
	assert_string_equal(id, ID64);
	assert_true(
		container__id_of_mountinfo("1 2 0:3 /containers/storage/overlay-containers/" ID64
					   "/userdata/hosts /etc/hosts\n",
					   id));
	assert_string_equal(id, ID64);
	assert_false(container__id_of_mountinfo(
		"1 2 8:1 /var/lib/kubelet/pods/1/containers/app/a1b2c3d4 /dev/termination-log rw\n"
		"1 2 8:1 /var/lib/containerd/sandboxes/" ID64 "/hostname /etc/hostname rw\n", id));
}

static void assert_service(struct name_sources sources, const char *expected)
{
	char *name = service_name__choose(&sources);

	assert_string_equal(name, expected);
	free(name);
}

static void test_service_name_order(void **state)
{
	struct name_sources s = {
		"flag",	     "own",	   "own attribute", "their", "their attribute",
		"/bin/shop", "x.org/main",
	};

	assert_service(s, "flag");
	s.flag = "";
	assert_service(s, "own");
	s.own_name = NULL;
	assert_service(s, "own attribute");
	s.own_attribute = NULL;
	assert_service(s, "their");
	s.their_name = "";
	assert_service(s, "their attribute");
	s.their_attribute = NULL;
	assert_service(s, "shop");
}

static void test_service_name_of_executable(void **state)
{
	static const char *const empty_names[] = {
		"main", "app", "server", "a.out", "__debug_bin", "__debug_bin123", "___go_build_x",
	};
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(empty_names) / sizeof(empty_names[0]); i++) {
		snprintf(path, sizeof(path), "/app/%s", empty_names[i]);
		assert_service(
			(struct name_sources){.exe_path = path, .main_path = "x.org/a/cmd/shop"},
			"shop");
		assert_service(
			(struct name_sources){.exe_path = path, .main_path = "x.org/shop/v2"},
			"shop");
		assert_service((struct name_sources){ .exe_path = path, .main_path = "" },
			       empty_names[i]);
		assert_service((struct name_sources){ .exe_path = path,
						      .main_path = "command-line-arguments" },
			       empty_names[i]);
	}
	assert_service((struct name_sources){.exe_path = "/x/mainly", .main_path = "a/b"},
		       "mainly");
	assert_service((struct name_sources){.exe_path = "/x/server", .main_path = "v2"}, "server");
	assert_service((struct name_sources){.exe_path = "/x/server", .main_path = "x/v2x/"},
		       "v2x");
	assert_service((struct name_sources){ .exe_path = "/x/sh\xffop" }, "sh" FFFD "op");
	assert_service((struct name_sources){ .exe_path = "" }, "unknown_service:go");
	assert_service((struct name_sources){ .exe_path = NULL }, "unknown_service:go");
	assert_service((struct name_sources){ .main_path = "x.org/shop" }, "shop");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_is_cleaned),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_uuid_v5),
		cmocka_unit_test(test_container_of_cgroup),
		cmocka_unit_test(test_container_of_mountinfo),
		cmocka_unit_test(test_service_name_order),
		cmocka_unit_test(test_service_name_of_executable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
