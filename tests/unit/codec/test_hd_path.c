/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hd_path.h"

#include "test.h"

static struct ady_hd_path path;
static struct ady_fault fault;

static enum ady_err read(enum ady_hd_path_kind kind, const char *text)
{
	fault = (struct ady_fault){0};
	return ady_hd_path_read(&path, kind, ady_bytes_str(text), &fault);
}

static void check_put(uint32_t number, const char *want)
{
	char text[ADY_HD_PATH_TEXT + 1];
	struct ady_buf b = ady_buf(text, ADY_HD_PATH_TEXT);

	ady_hd_path_put(&b, &path, number);
	CHECK(!b.full && ady_bytes_is(ady_buf_bytes(&b), want));
}

CASE(paths_go_round)
{
	static const struct {
		enum ady_hd_path_kind kind;
		const char *text;
	} rows[] = {
	    {ADY_HD_PATH_BIP32, "m/0"},
	    {ADY_HD_PATH_BIP32, "m/44'/60'/0'/0/5"},
	    {ADY_HD_PATH_BIP32, "m/2147483647'/2147483647"},
	    {ADY_HD_PATH_BIP32, "m/0/1/2/3/4/5/6/7/8/2147483647'"},
	    {ADY_HD_PATH_SLIP10, "m/44'/501'/0'/0'"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/4294967295/0"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/7/0/0"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CHECK_ERR(read(rows[i].kind, rows[i].text), ADY_OK);
		CHECK_INT(path.star, path.n);
		check_put(0, rows[i].text);
		CHECK(ady_hd_path_counts(&path, 0, 1));
		CHECK(!ady_hd_path_counts(&path, 1, 1) && !ady_hd_path_counts(&path, 0, 2));
	}
}

CASE(levels_that_count)
{
	CHECK_ERR(read(ADY_HD_PATH_BIP32, "m/44'/60'/0'/0/*"), ADY_OK);
	CHECK_INT(path.star, 4);
	check_put(9, "m/44'/60'/0'/0/9");
	CHECK_INT(ady_hd_path_index(&path, 0, 9), 0x80000000u + 44);
	CHECK_INT(ady_hd_path_index(&path, 4, 9), 9);
	CHECK(ady_hd_path_counts(&path, 2147483647, 1));
	CHECK(!ady_hd_path_counts(&path, 2147483647, 2));
	CHECK(!ady_hd_path_counts(&path, 2147483648, 1));
	CHECK(!ady_hd_path_counts(&path, 0, 0));
	CHECK(!ady_hd_path_counts(&path, UINT64_MAX, UINT64_MAX));
	CHECK_ERR(read(ADY_HD_PATH_SLIP10, "m/44'/501'/*'/0'"), ADY_OK);
	check_put(3, "m/44'/501'/3'/0'");
	CHECK_INT(ady_hd_path_index(&path, 2, 3), 0x80000003u);
	CHECK_ERR(read(ADY_HD_PATH_EIP2334, "m/12381/3600/*/0/0"), ADY_OK);
	check_put(4294967295, "m/12381/3600/4294967295/0/0");
	CHECK(ady_hd_path_counts(&path, 4294967295, 1));
	CHECK(!ady_hd_path_counts(&path, 4294967295, 2));
}

CASE(other_spellings)
{
	static const struct {
		enum ady_hd_path_kind kind;
		const char *text;
	} rows[] = {
	    {ADY_HD_PATH_BIP32, ""},
	    {ADY_HD_PATH_BIP32, "m"},
	    {ADY_HD_PATH_BIP32, "m/"},
	    {ADY_HD_PATH_BIP32, "M/0"},
	    {ADY_HD_PATH_BIP32, "/0"},
	    {ADY_HD_PATH_BIP32, "0/0"},
	    {ADY_HD_PATH_BIP32, "44'/60'/0'/0/0"},
	    {ADY_HD_PATH_BIP32, "m/0/"},
	    {ADY_HD_PATH_BIP32, "m//0"},
	    {ADY_HD_PATH_BIP32, " m/0"},
	    {ADY_HD_PATH_BIP32, "m/0 "},
	    {ADY_HD_PATH_BIP32, "m/00"},
	    {ADY_HD_PATH_BIP32, "m/01"},
	    {ADY_HD_PATH_BIP32, "m/+1"},
	    {ADY_HD_PATH_BIP32, "m/-1"},
	    {ADY_HD_PATH_BIP32, "m/0x1"},
	    {ADY_HD_PATH_BIP32, "m/1h"},
	    {ADY_HD_PATH_BIP32, "m/1H"},
	    {ADY_HD_PATH_BIP32, "m/1''"},
	    {ADY_HD_PATH_BIP32, "m/'"},
	    {ADY_HD_PATH_BIP32, "m/2147483648"},
	    {ADY_HD_PATH_BIP32, "m/2147483648'"},
	    {ADY_HD_PATH_BIP32, "m/4294967296"},
	    {ADY_HD_PATH_BIP32, "m/18446744073709551616"},
	    {ADY_HD_PATH_BIP32, "m/*/*"},
	    {ADY_HD_PATH_BIP32, "m/**"},
	    {ADY_HD_PATH_BIP32, "m/*1"},
	    {ADY_HD_PATH_BIP32, "m/1*"},
	    {ADY_HD_PATH_BIP32, "m/0/1/2/3/4/5/6/7/8/9/10"},
	    {ADY_HD_PATH_SLIP10, "m/44'/501'/0'/0"},
	    {ADY_HD_PATH_SLIP10, "m/44'/501'/*/0'"},
	    {ADY_HD_PATH_SLIP10, "m/0"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/0"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/0/1"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/0/0/1"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/0/0/0/0"},
	    {ADY_HD_PATH_EIP2334, "m/12381/60/0/0/0"},
	    {ADY_HD_PATH_EIP2334, "m/44/3600/0/0/0"},
	    {ADY_HD_PATH_EIP2334, "m/12381'/3600/0/0/0"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/0'/0/0"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/0/*"},
	    {ADY_HD_PATH_EIP2334, "m/12381/3600/4294967296/0"},
	    {ADY_HD_PATH_EIP2334, "m/*/3600/0/0"},
	};
	static const struct ady_hd_path zero;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!CHECK_ERR(read(rows[i].kind, rows[i].text), ADY_E_FIELD_INVALID))
			printf("# %s\n", rows[i].text);
		CHECK_STR(fault.where, "path");
		CHECK(memcmp(&path, &zero, sizeof path) == 0);
	}
	CHECK_ERR(ady_hd_path_read(&path, ADY_HD_PATH_BIP32, ady_bytes("m/0\0", 4), NULL),
	          ADY_E_FIELD_INVALID);
}

int main(void)
{
	RUN(paths_go_round);
	RUN(levels_that_count);
	RUN(other_spellings);
	return test_end();
}
