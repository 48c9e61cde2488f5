/* Prints what every algorithm of OpenSSL's default and legacy providers makes
 * of a fixed pattern, a line for each case.
 *
 * The same source is built for ARM64 and for the host; equal libraries must
 * print equal lines. Randomness comes from a fixed sequence, so that key
 * generation and randomized signatures are comparable too. A case that a
 * library refuses is a line like any other. Long outputs are summarized by a
 * sum of this program's own: OpenSSL is not asked to judge itself.
 *
 * usage: openssl_answers LARGEST-SIZE
 */
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_LEN (1 << 20)

static unsigned char pattern[PATTERN_LEN + 512];
static const size_t SIZES[] = {0,   1,   7,   8,    15,   16,   17,   24,    31,    32,     33,    63,   64, 65,
                               127, 128, 129, 255, 256, 257, 1000, 1024, 4095, 4096, 16385, 65536, 65537, PATTERN_LEN};
#define SIZE_COUNT (sizeof SIZES / sizeof *SIZES)
/* Slow algorithms get every size up to this one, and the largest. */
static size_t largest = PATTERN_LEN;

/* A fixed sequence in place of randomness. */
static uint64_t sequence;

static void restart_sequence(void) {
    sequence = 0x243f6a8885a308d3;
}

static int next_bytes(unsigned char *buf, int len) {
    for (int i = 0; i < len; i++) {
        sequence += 0x9e3779b97f4a7c15;
        uint64_t z = (sequence ^ sequence >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        buf[i] = (unsigned char)(z >> 56);
    }
    return 1;
}

static int is_seeded(void) {
    return 1;
}

/* A sum of two multiplicative hashes, over words and their positions. */
static void summarize(const unsigned char *data, size_t len, char text[33]) {
    uint64_t a = 0xcbf29ce484222325, b = 0x9ae16a3b2f90404f;
    for (size_t at = 0; at < len; at += 8) {
        uint64_t word = 0;
        memcpy(&word, data + at, len - at < 8 ? len - at : 8);
        a = (a ^ word) * 0x100000001b3;
        a ^= a >> 29;
        b = (b + word) * 0xff51afd7ed558ccd;
        b ^= b >> 32;
    }
    snprintf(text, 33, "%016llx%016llx", (unsigned long long)(a ^ len), (unsigned long long)b);
}

static void tell(const char *kind, const char *name, const char *what, size_t size, const unsigned char *data, size_t len) {
    printf("%s %s %s%zu: ", kind, name, what, size);
    if (data == NULL) {
        printf("refused\n");
    } else if (len <= 64) {
        for (size_t i = 0; i < len; i++)
            printf("%02x", data[i]);
        printf("\n");
    } else {
        char text[33];
        summarize(data, len, text);
        printf("%zu bytes, sum %s\n", len, text);
    }
    ERR_clear_error();
}

static void tell_text(const char *kind, const char *name, const char *what, const char *text) {
    printf("%s %s %s: %s\n", kind, name, what, text);
    ERR_clear_error();
}

/* The names that a provider has, sorted. */
struct names {
    char *name[512];
    int count;
};

static void add_name(struct names *names, const char *name) {
    if (name != NULL && names->count < 512)
        names->name[names->count++] = strdup(name);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_md(EVP_MD *md, void *names) {
    add_name(names, EVP_MD_get0_name(md));
}
static void add_cipher(EVP_CIPHER *cipher, void *names) {
    add_name(names, EVP_CIPHER_get0_name(cipher));
}
static void add_mac(EVP_MAC *mac, void *names) {
    add_name(names, EVP_MAC_get0_name(mac));
}
static void add_kdf(EVP_KDF *kdf, void *names) {
    add_name(names, EVP_KDF_get0_name(kdf));
}

static struct names sorted(struct names names) {
    qsort(names.name, names.count, sizeof *names.name, compare_names);
    return names;
}

/* Digests, given whole and in uneven pieces. */
static void digest(const char *name) {
    EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    for (size_t i = 0; i < SIZE_COUNT && SIZES[i] <= largest; i++) {
        unsigned char out[EVP_MAX_MD_SIZE], pieces[EVP_MAX_MD_SIZE];
        unsigned len = 0, pieces_len = 0;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        int done = EVP_DigestInit_ex(ctx, md, NULL) && EVP_DigestUpdate(ctx, pattern, SIZES[i]) &&
                   EVP_DigestFinal_ex(ctx, out, &len);
        tell("digest", name, "", SIZES[i], done ? out : NULL, len);
        done = done && EVP_DigestInit_ex(ctx, md, NULL);
        for (size_t at = 0, step = 1; done && at < SIZES[i]; at += step, step = step * 5 % 307 + 1) {
            if (step > SIZES[i] - at)
                step = SIZES[i] - at;
            done = EVP_DigestUpdate(ctx, pattern + at, step);
        }
        done = done && EVP_DigestFinal_ex(ctx, pieces, &pieces_len);
        if (done && (len != pieces_len || memcmp(out, pieces, len) != 0))
            tell("digest", name, "in pieces ", SIZES[i], pieces, pieces_len);
        if (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) {
            unsigned char longer[333];
            done = EVP_DigestInit_ex(ctx, md, NULL) && EVP_DigestUpdate(ctx, pattern, SIZES[i]) &&
                   EVP_DigestFinalXOF(ctx, longer, sizeof longer);
            tell("digest", name, "longer ", SIZES[i], done ? longer : NULL, sizeof longer);
        }
        EVP_MD_CTX_free(ctx);
    }
    EVP_MD_free(md);
}

/* One direction of a cipher; returns the length of the output or -1. */
static long crypt(const EVP_CIPHER *cipher, int encrypts, const unsigned char *in, size_t len, unsigned char *out,
                  unsigned char tag[16], int in_pieces) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int mode = EVP_CIPHER_get_mode(cipher), piece = 0, last = 0;
    int is_aead = (EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER) != 0;
    int is_early = mode == EVP_CIPH_CCM_MODE || mode == EVP_CIPH_OCB_MODE || mode == EVP_CIPH_SIV_MODE;
    long total = 0;
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    int done = EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, encrypts, NULL);
    if (is_aead && (is_early || !encrypts) && !(mode == EVP_CIPH_SIV_MODE && encrypts))
        done = done && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, encrypts ? NULL : tag) > 0;
    done = done && EVP_CipherInit_ex2(ctx, NULL, pattern + 3, pattern + 77, encrypts, NULL);
    if (mode == EVP_CIPH_CCM_MODE)
        done = done && EVP_CipherUpdate(ctx, NULL, &piece, NULL, (int)len);
    if (is_aead)
        done = done && EVP_CipherUpdate(ctx, NULL, &piece, pattern + 200, 20);
    for (size_t at = 0, step = 1; in_pieces && done && at < len; at += step, step = step * 5 % 307 + 1) {
        if (step > len - at)
            step = len - at;
        done = EVP_CipherUpdate(ctx, out + total, &piece, in + at, (int)step);
        total += piece;
    }
    if (!in_pieces && done) {
        done = EVP_CipherUpdate(ctx, out, &piece, in, (int)len);
        total = piece;
    }
    if (!(mode == EVP_CIPH_CCM_MODE && !encrypts))
        done = done && EVP_CipherFinal_ex(ctx, out + total, &last);
    total += last;
    if (is_aead && encrypts)
        done = done && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) > 0;
    EVP_CIPHER_CTX_free(ctx);
    return done ? total : -1;
}

static void cipher(const char *name) {
    static unsigned char out[PATTERN_LEN + 512], back[PATTERN_LEN + 512], pieces[PATTERN_LEN + 512];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    int is_aead = (EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER) != 0;
    for (size_t i = 0; i < SIZE_COUNT && SIZES[i] <= largest; i++) {
        unsigned char tag[16] = {0}, tag_of_pieces[16] = {0};
        long len = crypt(cipher, 1, pattern, SIZES[i], out, tag, 0);
        tell("cipher", name, "", SIZES[i], len < 0 ? NULL : out, len < 0 ? 0 : (size_t)len);
        if (is_aead && len >= 0)
            tell("cipher", name, "tag ", SIZES[i], tag, sizeof tag);
        if (len < 0)
            continue;
        long back_len = crypt(cipher, 0, out, (size_t)len, back, tag, 0);
        if (back_len != (long)SIZES[i] || memcmp(back, pattern, SIZES[i]) != 0)
            tell("cipher", name, "decrypted otherwise ", SIZES[i], back_len < 0 ? NULL : back, (size_t)back_len);
        long pieces_len = SIZES[i] > 65537 ? -1 : crypt(cipher, 1, pattern, SIZES[i], pieces, tag_of_pieces, 1);
        if (pieces_len >= 0 && (pieces_len != len || memcmp(pieces, out, (size_t)len) != 0 || memcmp(tag, tag_of_pieces, 16) != 0))
            tell("cipher", name, "in pieces ", SIZES[i], pieces, (size_t)pieces_len);
        if (is_aead) {
            tag[5] ^= 1;
            back_len = crypt(cipher, 0, out, (size_t)len, back, tag, 0);
            if (back_len >= 0)
                tell("cipher", name, "wrong tag accepted ", SIZES[i], tag, sizeof tag);
        }
        ERR_clear_error();
    }
    EVP_CIPHER_free(cipher);
}

/* A MAC with each of the digests or ciphers that it is made of. */
static void mac(const char *name, const char *part, size_t key_len) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, name, NULL);
    char label[80];
    snprintf(label, sizeof label, "%s(%s)", name, part != NULL ? part : "");
    for (size_t i = 0; i < SIZE_COUNT && SIZES[i] <= largest; i++) {
        EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
        OSSL_PARAM params[4], *param = params;
        unsigned char out[256];
        size_t len = 0;
        if (part != NULL && strcmp(name, "HMAC") == 0)
            *param++ = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)part, 0);
        else if (part != NULL)
            *param++ = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, (char *)part, 0);
        if (strcmp(name, "GMAC") == 0)
            *param++ = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, pattern + 77, 12);
        *param = OSSL_PARAM_construct_end();
        int done = EVP_MAC_init(ctx, pattern + 3, key_len, params) && EVP_MAC_update(ctx, pattern, SIZES[i] / 3) &&
                   EVP_MAC_update(ctx, pattern + SIZES[i] / 3, SIZES[i] - SIZES[i] / 3) &&
                   EVP_MAC_final(ctx, out, &len, sizeof out);
        tell("mac", label, "", SIZES[i], done ? out : NULL, len);
        EVP_MAC_CTX_free(ctx);
    }
    EVP_MAC_free(mac);
}

static void macs(const char *name, const struct names *digests) {
    static const char *const CIPHERS[] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "CAMELLIA-128-CBC", "DES-EDE3-CBC"};
    static const size_t KEYS[] = {16, 24, 32, 16, 24};
    static const char *const GCM[] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"};
    if (strcmp(name, "HMAC") == 0)
        for (int i = 0; i < digests->count; i++)
            mac(name, digests->name[i], 40);
    else if (strcmp(name, "CMAC") == 0)
        for (int i = 0; i < 5; i++)
            mac(name, CIPHERS[i], KEYS[i]);
    else if (strcmp(name, "GMAC") == 0)
        for (int i = 0; i < 3; i++)
            mac(name, GCM[i], KEYS[i]);
    else
        mac(name, NULL, strcmp(name, "SIPHASH") == 0 ? 16 : 32);
}

/* Key derivation with everything that any of the functions asks for. */
static void kdf(const char *name, const char *digest_name) {
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    static const char *const OCTETS[] = {"key", "salt", "pass", "info", "seed", "secret", "xcghash", "session_id",
                                         "constant", "ukm", "label", "partyu-info", "prefix"};
    OSSL_PARAM params[40], *param = params;
    uint64_t iterations = 1000, n = 1024;
    uint32_t r = 8, p = 1;
    int id = 1, unchecked = 1;
    int is_krb5 = strcmp(name, "KRB5KDF") == 0, is_tls13 = strcmp(name, "TLS13-KDF") == 0;
    const char *mode = strcmp(name, "KBKDF") == 0 ? "counter" : is_tls13 ? "EXPAND_ONLY" : "EXTRACT_AND_EXPAND";
    for (size_t i = 0; i < sizeof OCTETS / sizeof *OCTETS; i++)
        *param++ = OSSL_PARAM_construct_octet_string((char *)OCTETS[i], pattern + 11 * i, is_krb5 ? 16 : 24);
    *param++ = OSSL_PARAM_construct_utf8_string("digest", (char *)digest_name, 0);
    *param++ = OSSL_PARAM_construct_utf8_string("mode", (char *)mode, 0);
    if (strcmp(name, "X963KDF") != 0)
        *param++ = OSSL_PARAM_construct_utf8_string("mac", "HMAC", 0);
    if (strcmp(name, "KBKDF") != 0)
        *param++ = OSSL_PARAM_construct_utf8_string("cipher", "AES-128-CBC", 0);
    *param++ = OSSL_PARAM_construct_utf8_string("cekalg", "id-aes128-wrap", 0);
    *param++ = OSSL_PARAM_construct_utf8_string("type", "A", 0);
    *param++ = OSSL_PARAM_construct_uint64("iter", &iterations);
    *param++ = OSSL_PARAM_construct_uint64("n", &n);
    *param++ = OSSL_PARAM_construct_uint32("r", &r);
    *param++ = OSSL_PARAM_construct_uint32("p", &p);
    *param++ = OSSL_PARAM_construct_int("id", &id);
    *param++ = OSSL_PARAM_construct_int("pkcs5", &unchecked);
    *param = OSSL_PARAM_construct_end();
    unsigned char out[100];
    /* Some derive no more than their digest or cipher has. */
    size_t wanted = is_tls13 ? 20 : is_krb5 || strcmp(name, "PBKDF1") == 0 ? 16 : sizeof out;
    int done = EVP_KDF_derive(ctx, out, wanted, params) > 0;
    tell("kdf", name, digest_name, wanted, done ? out : NULL, wanted);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

/* A key pair; NULL if the library has no such one. `group` may be NULL. */
static EVP_PKEY *make_key(const char *type, const char *group, EVP_PKEY *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx =
        parameters != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL) : EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("group", (char *)group, 0), OSSL_PARAM_construct_end()};
    restart_sequence();
    if (EVP_PKEY_keygen_init(ctx) <= 0 || (group != NULL && EVP_PKEY_CTX_set_params(ctx, params) <= 0) ||
        EVP_PKEY_generate(ctx, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void tell_key(EVP_PKEY *key, const char *name) {
    unsigned char *der = NULL;
    int len = key != NULL ? i2d_PrivateKey(key, &der) : -1;
    tell("key", name, "", len > 0 ? (size_t)len : 0, len > 0 ? der : NULL, len > 0 ? (size_t)len : 0);
    OPENSSL_free(der);
}

/* Signs and verifies; the verifier must refuse another message. */
static void sign(EVP_PKEY *key, const char *name, const char *digest_name, int padding) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    unsigned char signature[1024];
    size_t len = sizeof signature;
    char what[60];
    snprintf(what, sizeof what, "%s,%d,", digest_name != NULL ? digest_name : "", padding);
    restart_sequence();
    int done = EVP_DigestSignInit_ex(ctx, &inner, digest_name, NULL, NULL, key, NULL) > 0 &&
               (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(inner, padding) > 0) &&
               EVP_DigestSign(ctx, signature, &len, pattern, 1000) > 0;
    tell("signature", name, what, 1000, done ? signature : NULL, len);
    EVP_MD_CTX_free(ctx);
    for (int is_other = 0; done && is_other < 2; is_other++) {
        ctx = EVP_MD_CTX_new();
        int is_set = EVP_DigestVerifyInit_ex(ctx, &inner, digest_name, NULL, NULL, key, NULL) > 0 &&
                     (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(inner, padding) > 0);
        int verdict = is_set && EVP_DigestVerify(ctx, signature, len, pattern + is_other, 1000) > 0;
        tell_text(is_other ? "other-message" : "verification", name, what, verdict ? "accepted" : "refused");
        EVP_MD_CTX_free(ctx);
    }
}

static void derive(EVP_PKEY *key, EVP_PKEY *peer, const char *name) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    unsigned char secret[1024];
    size_t len = sizeof secret;
    restart_sequence();
    int done = EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
               EVP_PKEY_derive(ctx, secret, &len) > 0;
    tell("secret", name, "", done ? len : 0, done ? secret : NULL, len);
    EVP_PKEY_CTX_free(ctx);
}

static void encrypt(EVP_PKEY *key, const char *name, int padding) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    unsigned char out[1024], back[1024];
    size_t len = sizeof out, back_len = sizeof back;
    restart_sequence();
    int done = EVP_PKEY_encrypt_init(ctx) > 0 && (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0) &&
               EVP_PKEY_encrypt(ctx, out, &len, pattern, 50) > 0;
    tell("encryption", name, "", (size_t)padding, done ? out : NULL, len);
    int is_same = done && EVP_PKEY_decrypt_init(ctx) > 0 && (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0) &&
                  EVP_PKEY_decrypt(ctx, back, &back_len, out, len) > 0 && back_len == 50 && memcmp(back, pattern, 50) == 0;
    if (done)
        tell_text("decryption", name, "", is_same ? "the same" : "otherwise");
    EVP_PKEY_CTX_free(ctx);
}

static void rsa(const struct names *digests) {
    EVP_PKEY *key = make_key("RSA", NULL, NULL);
    tell_key(key, "RSA");
    for (int i = 0; key != NULL && i < digests->count; i++) {
        sign(key, "RSA", digests->name[i], RSA_PKCS1_PADDING);
        sign(key, "RSA", digests->name[i], RSA_PKCS1_PSS_PADDING);
    }
    if (key != NULL) {
        encrypt(key, "RSA", RSA_PKCS1_PADDING);
        encrypt(key, "RSA", RSA_PKCS1_OAEP_PADDING);
    }
    EVP_PKEY_free(key);
}

static void curves(void) {
    static EC_builtin_curve curve[200];
    size_t count = EC_get_builtin_curves(curve, 200);
    for (size_t i = 0; i < count && i < 200; i++) {
        const char *group = OBJ_nid2sn(curve[i].nid);
        int is_sm2 = strcmp(group, "SM2") == 0;
        EVP_PKEY *key = make_key(is_sm2 ? "SM2" : "EC", group, NULL);
        tell_key(key, group);
        if (key == NULL)
            continue;
        sign(key, group, is_sm2 ? "SM3" : "SHA256", 0);
        if (is_sm2)
            encrypt(key, group, 0);
        else
            derive(key, key, group);
        EVP_PKEY_free(key);
    }
}

static void edwards_and_montgomery(void) {
    static const char *const NAMES[] = {"ED25519", "ED448", "X25519", "X448"};
    for (int i = 0; i < 4; i++) {
        EVP_PKEY *key = make_key(NAMES[i], NULL, NULL);
        tell_key(key, NAMES[i]);
        if (key != NULL && i < 2)
            sign(key, NAMES[i], NULL, 0);
        if (key != NULL && i >= 2)
            derive(key, key, NAMES[i]);
        EVP_PKEY_free(key);
    }
}

static void finite_fields(void) {
    static const char *const GROUPS[] = {"ffdhe2048", "ffdhe3072", "modp_1536", "modp_2048", "dh_2048_256"};
    for (int i = 0; i < 5; i++) {
        EVP_PKEY *key = make_key(i == 4 ? "DHX" : "DH", GROUPS[i], NULL);
        tell_key(key, GROUPS[i]);
        if (key != NULL)
            derive(key, key, GROUPS[i]);
        EVP_PKEY_free(key);
    }
    EVP_PKEY *parameters = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    restart_sequence();
    if (EVP_PKEY_paramgen_init(ctx) > 0 && EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024) > 0)
        EVP_PKEY_paramgen(ctx, &parameters);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY *key = parameters != NULL ? make_key("DSA", NULL, parameters) : NULL;
    tell_key(key, "DSA");
    if (key != NULL)
        sign(key, "DSA", "SHA256", 0);
    EVP_PKEY_free(key);
    EVP_PKEY_free(parameters);
}

int main(int argc, char **argv) {
    static const RAND_METHOD method = {.bytes = next_bytes, .pseudorand = next_bytes, .status = is_seeded};
    static struct names digests, ciphers, some_macs, kdfs;
    if (argc == 2)
        largest = strtoul(argv[1], NULL, 10);
    RAND_set_rand_method(&method);
    restart_sequence();
    next_bytes(pattern, sizeof pattern);
    if (OSSL_PROVIDER_load(NULL, "default") == NULL || OSSL_PROVIDER_load(NULL, "legacy") == NULL) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    printf("version %s\n", OpenSSL_version(OPENSSL_VERSION));
    EVP_MD_do_all_provided(NULL, add_md, &digests);
    EVP_CIPHER_do_all_provided(NULL, add_cipher, &ciphers);
    EVP_MAC_do_all_provided(NULL, add_mac, &some_macs);
    EVP_KDF_do_all_provided(NULL, add_kdf, &kdfs);
    digests = sorted(digests), ciphers = sorted(ciphers), some_macs = sorted(some_macs), kdfs = sorted(kdfs);
    for (int i = 0; i < digests.count; i++)
        digest(digests.name[i]);
    for (int i = 0; i < ciphers.count; i++)
        /* These exist only where there is assembly that does both at once, on x86. */
        if (strstr(ciphers.name[i], "-CBC-HMAC-") == NULL && strcmp(ciphers.name[i], "RC4-HMAC-MD5") != 0)
            cipher(ciphers.name[i]);
    for (int i = 0; i < some_macs.count; i++)
        macs(some_macs.name[i], &digests);
    for (int i = 0; i < kdfs.count; i++) {
        kdf(kdfs.name[i], "SHA256");
        kdf(kdfs.name[i], "SHA1");
        kdf(kdfs.name[i], "SHA512");
    }
    rsa(&digests);
    edwards_and_montgomery();
    curves();
    finite_fields();
    printf("end\n");
    return 0;
}
