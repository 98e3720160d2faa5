/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/bip39.h"

#include "crypto/hash.h"
#include "test.h"

/* The vectors of BIP-39 (trezor/python-mnemonic, vectors.json, "english"), passphrase TREZOR. */
static const struct {
	const char *entropy, *sentence, *seed;
} vectors[] = {
    {"00000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "about",
     "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf"
     "141630c7a3c4ab7c81b2f001698e7463b04"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank yellow",
     "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c10"
     "69be3a3a5bd381ee6260e8d9739fce1f607"},
    {"80808080808080808080808080808080",
     "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
     "d71de856f81a8acc65e6fc851a38d4d7ec216fd0796d0a6827a3ad6ed5511a30fa280f12eb2e47ed2ac03b5c462a0"
     "358d18d69fe4f985ec81778c1b370b652a8"},
    {"ffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
     "ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f15b1"
     "1c61dee327651a14c34e18231052e48c069"},
    {"000000000000000000000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon abandon abandon abandon abandon agent",
     "035895f2f481b1b0f01fcf8c289c794660b289981a78f8106447707fdd9666ca06da5a9a565181599b79f53b844d8"
     "a71dd9f439c52a3d7b3e8a79c906ac845fa"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth "
     "useful legal will",
     "f2b94508732bcbacbcc020faefecfc89feafa6649a5491b8c952cede496c214a0c7b3c392d168748f2d4a612bada0"
     "753b52a1c7ac53c1e93abd5c6320b9e95dd"},
    {"808080808080808080808080808080808080808080808080",
     "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount "
     "doctor acoustic avoid letter always",
     "107d7c02a5aa6f38c58083ff74f04c607c2d2c0ecc55501dadd72d025b751bc27fe913ffb796f841c49b1d33b610c"
     "f0e91d3aa239027f5e99fe4ce9e5088cd65"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffff",
     "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo when",
     "0cd6e5d827bb62eb8fc1e262254223817fd068a74b5b449cc2f667c3f1f985a76379b43348d952e2265b4cd129090"
     "758b3e3c2c49103b5051aac2eaeb890a528"},
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon art",
     "bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a"
     "7c3de6f5d4a10be8ed2a5e608d68f92fcc8"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth "
     "useful legal winner thank year wave sausage worth title",
     "bc09fca1804f7e69da93c2f2028eb238c227f2e9dda30cd63699232578480a4021b146ad717fbb7e451ce9eb835f4"
     "3620bf5c514db0f8add49f5d121449d3e87"},
    {"8080808080808080808080808080808080808080808080808080808080808080",
     "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount "
     "doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless",
     "c0c519bd0e91a2ed54357d9d1ebef6f5af218a153624cf4f2da911a0ed8f7a09e2ef61af0aca007096df430022f7a"
     "2b6fb91661a9589097069720d015e4e982f"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
     "vote",
     "dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed3"
     "992c456cdf60f5d4564b8ba3f05a69890ad"},
    {"9e885d952ad362caeb4efe34a8e91bd2",
     "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
     "274ddc525802f7c828d8ef7ddbcdc5304e87ac3535913611fbbfa986d0c9e5476c91689f9c8a54fd55bd38606aa6a"
     "8595ad213d4c9c9f9aca3fb217069a41028"},
    {"6610b25967cdcca9d59875f5cb50b0ea75433311869e930b",
     "gravity machine north sort system female filter attitude volume fold club stay feature "
     "office ecology stable narrow fog",
     "628c3827a8823298ee685db84f55caa34b5cc195a778e52d45f59bcf75aba68e4d7590e101dc414bc1bbd5737666f"
     "bbef35d1f1903953b66624f910feef245ac"},
    {"68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
     "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy "
     "gospel tennis maple dilemma loan word shrug inflict delay length",
     "64c87cde7e12ecf6704ab95bb1408bef047c22db4cc7491c4271d170a1b213d20b385bc1588d9c7b38f1b39d41566"
     "5b8a9030c9ec653d75e65f847d8fc1fc440"},
    {"c0ba5a8e914111210f2bd131f3d5e08d",
     "scheme spot photo card baby mountain device kick cradle pact join borrow",
     "ea725895aaae8d4c1cf682c1bfd2d358d52ed9f0f0591131b559e2724bb234fca05aa9c02c57407e04ee9dc3b454a"
     "a63fbff483a8b11de949624b9f1831a9612"},
    {"6d9be1ee6ebd27a258115aad99b7317b9c8d28b6d76431c3",
     "horn tenant knee talent sponsor spell gate clip pulse soap slush warm silver nephew swap "
     "uncle crack brave",
     "fd579828af3da1d32544ce4db5c73d53fc8acc4ddb1e3b251a31179cdb71e853c56d2fcb11aed39898ce6c34b10b5"
     "382772db8796e52837b54468aeb312cfc3d"},
    {"9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
     "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol "
     "speed nation flash devote level hobby quick inner drive ghost inside",
     "72be8e052fc4919d2adf28d5306b5474b0069df35b02303de8c1729c9538dbb6fc2d731d5f832193cd9fb6aeecbc4"
     "69594a70e3dd50811b5067f3b88b28c3e8d"},
    {"23db8160a31d3e0dca3688ed941adbf3",
     "cat swing flag economy stadium alone churn speed unique patch report train",
     "deb5f45449e615feff5640f2e49f933ff51895de3b4381832b3139941c57b59205a42480c52175b6efcffaa58a250"
     "3887c1e8b363a707256bdd2b587b46541f5"},
    {"8197a4a47f0425faeaa69deebc05ca29c0a5b5cc76ceacc0",
     "light rule cinnamon wrap drastic word pride squirrel upgrade then income fatal apart sustain "
     "crack supply proud access",
     "4cbdff1ca2db800fd61cae72a57475fdc6bab03e441fd63f96dabd1f183ef5b782925f00105f318309a7e9c3ea696"
     "7c7801e46c8a58082674c860a37b93eda02"},
    {"066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
     "all hour make first leader extend hole alien behind guard gospel lava path output census "
     "museum junior mass reopen famous sing advance salt reform",
     "26e975ec644423f4a4c4f4215ef09b4bd7ef924e85d1d17c4cf3f136c2863cf6df0a475045652c57eb5fb41513ca2"
     "a2d67722b77e954b4b3fc11f7590449191d"},
    {"f30f8c1da665478f49b001d94c5fc452",
     "vessel ladder alter error federal sibling chat ability sun glass valve picture",
     "2aaa9242daafcee6aa9d7269f17d4efe271e1b9a529178d7dc139cd18747090bf9d60295d0ce74309a78852a9caad"
     "f0af48aae1c6253839624076224374bc63f"},
    {"c10ec20dc3cd9f652c7fac2f1230f7a3c828389a14392f05",
     "scissors invite lock maple supreme raw rapid void congress muscle digital elegant little "
     "brisk hair mango congress clump",
     "7b4a10be9d98e6cba265566db7f136718e1398c71cb581e1b2f464cac1ceedf4f3e274dc270003c670ad8d02c4558"
     "b2f8e39edea2775c9e232c7cb798b069e88"},
    {"f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
     "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing "
     "screen patrol group space point ten exist slush involve unfold",
     "01f5bced59dec48e362f2c45b5de68b9fd6c92c6634f44d6d40aab69056506f0e35524a518034ddc1192e1dacd32c"
     "1ed3eaa3c3b131c88ed8e7e54c49a5d0998"},
};

static struct ady_bip39_sentence sentence_of(const char *text)
{
	struct ady_bip39_sentence s = {.n = strlen(text)};

	if (CHECK(s.n <= sizeof s.text))
		memcpy(s.text, text, s.n);
	return s;
}

CASE(the_list_is_that_of_the_bip)
{
	struct ady_dyn text = {0};
	uint8_t hash[32];

	for (size_t i = 0; i < ADY_BIP39_LIST; i++)
		ady_dyn_printf(&text, "%.8s\n", ady_bip39_words[i]);
	ady_sha256(hash, &(struct ady_bytes){(const uint8_t *)text.p, text.n}, 1);
	CHECK_HEX(hash, 32, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
	ady_dyn_free(&text);
}

CASE(published_vectors)
{
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		struct ady_bip39_entropy e = {0}, back;
		struct ady_bip39_sentence s;
		uint8_t seed[64];
		struct ady_bytes entropy = test_hex(vectors[i].entropy);

		e.n = (uint8_t)entropy.n;
		memcpy(e.b, entropy.p, entropy.n);
		ady_bip39_write(&s, &e);
		CHECK(ady_bytes_is(ady_bytes(s.text, s.n), vectors[i].sentence));
		CHECK_ERR(ady_bip39_read(&back, ady_bytes(s.text, s.n)), ADY_OK);
		CHECK(memcmp(&back, &e, sizeof e) == 0);
		CHECK_ERR(ady_bip39_seed(seed, &s, ady_bytes_str("TREZOR")), ADY_OK);
		CHECK_HEX(seed, sizeof seed, vectors[i].seed);
	}
}

/* Every word stands at every place of some sentence: written and read back. */
CASE(every_word_at_every_place)
{
	for (unsigned i = 0; i < ADY_BIP39_LIST; i++) {
		struct ady_bip39_entropy e = {.n = 32}, back;
		struct ady_bip39_sentence s;

		for (unsigned bit = 0; bit < 256; bit++)
			e.b[bit / 8] |= (uint8_t)((i >> (10 - bit % 11) & 1) << (7 - bit % 8));
		ady_bip39_write(&s, &e);
		CHECK(memcmp(s.text, ady_bip39_words[i], strnlen(ady_bip39_words[i], 8)) == 0);
		if (!CHECK_ERR(ady_bip39_read(&back, ady_bytes(s.text, s.n)), ADY_OK) ||
		    !CHECK(memcmp(&back, &e, sizeof e) == 0))
			return;
	}
}

CASE(sizes)
{
	static const size_t words[] = {12, 15, 18, 21, 24}, bytes[] = {16, 20, 24, 28, 32};
	struct ady_bip39_entropy e, back;
	struct ady_bip39_sentence s;

	for (size_t i = 0; i < 5; i++) {
		CHECK_INT(ady_bip39_bytes(words[i]), bytes[i]);
		ady_bip39_generate(&e, bytes[i]);
		ady_bip39_write(&s, &e);
		CHECK_ERR(ady_bip39_read(&back, ady_bytes(s.text, s.n)), ADY_OK);
		CHECK(memcmp(&back, &e, sizeof e) == 0);
	}
	for (uint64_t n = 0; n < 40; n++)
		CHECK((ady_bip39_bytes(n) != 0) == (n >= 12 && n <= 24 && n % 3 == 0));
	CHECK_INT(ady_bip39_bytes(UINT64_MAX - 3), 0);
}

#define ABOUT \
	"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon"

CASE(what_is_no_sentence)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "about",
	    ABOUT,
	    ABOUT " abandon",
	    ABOUT "  about",
	    " " ABOUT " about",
	    ABOUT " about ",
	    ABOUT " about\n",
	    ABOUT "\tabout",
	    ABOUT " About",
	    ABOUT " abou",
	    ABOUT " aboutt",
	    ABOUT " aboutabout",
	    ABOUT " \xc3\xa1"
	          "bout",
	    ABOUT " ab`ut",
	    ABOUT " ab{ut",
	    ABOUT " about about",
	    ABOUT " " ABOUT " about about",
	    ABOUT " " ABOUT " " ABOUT,
	};
	static const uint8_t zero[sizeof(struct ady_bip39_entropy)];
	struct ady_bip39_entropy e;

	CHECK_ERR(ady_bip39_read(&e, ady_bytes_str(ABOUT " about")), ADY_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		memset(&e, 1, sizeof e);
		if (!CHECK_ERR(ady_bip39_read(&e, ady_bytes_str(bad[i])), ADY_E_KEY_FORM))
			printf("# %s\n", bad[i]);
		CHECK(memcmp(&e, zero, sizeof e) == 0);
	}
	CHECK_ERR(ady_bip39_read(&e, ady_bytes(ABOUT "\0about", sizeof ABOUT + 5)), ADY_E_KEY_FORM);
}

/* Of all the last words, as many fit as the checksum lets: 2048 / 16. */
CASE(the_checksum)
{
	struct ady_bip39_entropy e;
	char text[128];
	int good = 0;

	for (size_t i = 0; i < ADY_BIP39_LIST; i++) {
		snprintf(text, sizeof text, ABOUT " %.8s", ady_bip39_words[i]);
		good += ady_bip39_read(&e, ady_bytes_str(text)) == ADY_OK;
	}
	CHECK_INT(good, 128);
}

CASE(passphrases)
{
	static const uint8_t zero[64];
	struct ady_bip39_sentence s = sentence_of(ABOUT " about");
	char longest[258];
	uint8_t seed[64], none[64];

	memset(longest, '~', sizeof longest);
	CHECK_ERR(ady_bip39_seed(none, &s, ady_bytes_str("")), ADY_OK);
	CHECK_HEX(none, 64,
	          "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1"
	          "9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4");
	CHECK_ERR(ady_bip39_seed(seed, &s, ady_bytes(longest, 256)), ADY_OK);
	CHECK(memcmp(seed, none, sizeof seed) != 0);
	CHECK_ERR(ady_bip39_seed(seed, &s, ady_bytes(longest, 257)), ADY_E_FIELD_INVALID);
	CHECK(memcmp(seed, zero, sizeof seed) == 0);
	CHECK_ERR(ady_bip39_seed(seed, &s, ady_bytes_str("p\xc3\xa4ss")), ADY_E_FIELD_INVALID);
	CHECK_ERR(ady_bip39_seed(seed, &s, ady_bytes_str("a\x7f")), ADY_E_FIELD_INVALID);
	CHECK_ERR(ady_bip39_seed(seed, &s, ady_bytes_str("a\n")), ADY_E_FIELD_INVALID);
}

int main(void)
{
	RUN(the_list_is_that_of_the_bip);
	RUN(published_vectors);
	RUN(every_word_at_every_place);
	RUN(sizes);
	RUN(what_is_no_sentence);
	RUN(the_checksum);
	RUN(passphrases);
	return test_end();
}
