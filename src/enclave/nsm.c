/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/nsm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* include/uapi/linux/nsm.h (Linux 6.8): request and answer as two address and length pairs. */
struct nsm_raw {
	struct iovec request, response;
};
#define NSM_IOCTL_RAW _IOWR(0x0A, 0x0, struct nsm_raw)
_Static_assert(NSM_IOCTL_RAW == 0xC0200A00, "the number of the kernel's header");

enum { SOCKET_TIMEOUT_S = 10 };

struct ady_nsm {
	pthread_mutex_t lock;
	int fd;
	bool device, broken;
	uint8_t request[ADY_NSM_REQUEST_MAX];
	uint8_t answer[ADY_NSM_ANSWER_MAX];
};

static enum ady_err call_device(struct ady_nsm *nsm, size_t request_n, struct ady_bytes *answer,
                                struct ady_fault *f)
{
	struct nsm_raw raw = {
	    .request = {.iov_base = nsm->request, .iov_len = request_n},
	    .response = {.iov_base = nsm->answer, .iov_len = sizeof nsm->answer},
	};

	if (ioctl(nsm->fd, NSM_IOCTL_RAW, &raw) != 0)
		return ady_fail(f, ADY_E_NSM, "", "the NSM device: %s", strerrordesc_np(errno));
	if (raw.response.iov_len > sizeof nsm->answer)
		return ady_fail(f, ADY_E_NSM, "", "the NSM device gave an impossible length");
	*answer = ady_bytes(nsm->answer, raw.response.iov_len);
	return ADY_OK;
}

/* A connection is a module with its own PCRs: when it breaks there is no way back to the same
 * measurements, so it stays broken. */
static enum ady_err call_socket(struct ady_nsm *nsm, size_t request_n, struct ady_bytes *answer,
                                struct ady_fault *f)
{
	ssize_t n = -1;

	if (nsm->broken)
		return ady_fail(f, ADY_E_NSM, "", "the development NSM went away");
	if (send(nsm->fd, nsm->request, request_n, MSG_NOSIGNAL) == (ssize_t)request_n)
		n = recv(nsm->fd, nsm->answer, sizeof nsm->answer, 0);
	if (n <= 0) {
		nsm->broken = true;
		return ady_fail(f, ADY_E_NSM, "", "the development NSM did not answer");
	}
	*answer = ady_bytes(nsm->answer, (size_t)n);
	return ADY_OK;
}

/* Begin a request: the lock is held until end(), for request and answer have one buffer each. */
static struct ady_buf begin(struct ady_nsm *nsm)
{
	pthread_mutex_lock(&nsm->lock);
	return ady_buf(nsm->request, sizeof nsm->request);
}

static enum ady_err call(struct ady_nsm *nsm, const struct ady_buf *request,
                         struct ady_bytes *answer, struct ady_fault *f)
{
	*answer = (struct ady_bytes){0};
	if (request->full)
		return ady_fail(f, ADY_E_NSM, "", "the request exceeds 4096 bytes");
	if (nsm->device)
		return call_device(nsm, request->n, answer, f);
	return call_socket(nsm, request->n, answer, f);
}

static enum ady_err end(struct ady_nsm *nsm, enum ady_err err)
{
	pthread_mutex_unlock(&nsm->lock);
	return err;
}

/* The first packet to the development NSM: what it shall measure in place of an image. */
static enum ady_err measure(struct ady_nsm *nsm, const struct ady_nsm_config *config,
                            struct ady_fault *f)
{
	static char hello[] = {'M', 'E', 'A', 'S', 'U', 'R', 'E', '1'};
	int fds[2] = {config->program_fd, config->config_fd};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof fds)];
	} control = {0};
	struct iovec iov = {.iov_base = hello, .iov_len = sizeof hello};
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = &control,
	                     .msg_controllen = sizeof control.room};
	ssize_t n;

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(&control.head), fds, sizeof fds);
	if (sendmsg(nsm->fd, &msg, MSG_NOSIGNAL) != (ssize_t)sizeof hello ||
	    (n = recv(nsm->fd, nsm->answer, sizeof nsm->answer, 0)) <= 0)
		return ady_fail(f, ADY_E_NSM, "nsm", "the development NSM did not measure: %s",
		                strerrordesc_np(errno));
	return ady_nsm_read_plain(ady_bytes(nsm->answer, (size_t)n), "Measured", f);
}

static enum ady_err open_device(struct ady_nsm *nsm, const char *path, struct ady_fault *f)
{
	nsm->fd = open(path, O_RDWR | O_CLOEXEC);
	if (nsm->fd < 0)
		return ady_fail(f, ADY_E_NSM, "nsm", "%.100s: %s", path, strerrordesc_np(errno));
	return ADY_OK;
}

static enum ady_err open_socket(struct ady_nsm *nsm, const struct ady_nsm_config *config,
                                struct ady_fault *f)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = SOCKET_TIMEOUT_S};

	if (strlen(config->path) >= sizeof at.sun_path)
		return ady_fail(f, ADY_E_NSM, "nsm", "the path is too long");
	memcpy(at.sun_path, config->path, strlen(config->path));
	nsm->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (nsm->fd < 0 ||
	    setsockopt(nsm->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
	    setsockopt(nsm->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
	    connect(nsm->fd, (struct sockaddr *)&at, sizeof at) != 0)
		return ady_fail(f, ADY_E_NSM, "nsm", "%.100s: %s", config->path,
		                strerrordesc_np(errno));
	return measure(nsm, config, f);
}

enum ady_err ady_nsm_open(struct ady_nsm **nsm, const struct ady_nsm_config *config,
                          struct ady_fault *f)
{
	struct ady_nsm *n = calloc(1, sizeof *n);
	enum ady_err err;

	*nsm = NULL;
	if (!n)
		return ADY_E_MEMORY;
	pthread_mutex_init(&n->lock, NULL);
	n->fd = -1;
	n->device = config->device;
	err = n->device ? open_device(n, config->path, f) : open_socket(n, config, f);
	if (err != ADY_OK) {
		ady_nsm_close(n);
		return err;
	}
	*nsm = n;
	return ADY_OK;
}

void ady_nsm_close(struct ady_nsm *nsm)
{
	if (!nsm)
		return;
	if (nsm->fd >= 0)
		close(nsm->fd);
	pthread_mutex_destroy(&nsm->lock);
	free(nsm);
}

enum ady_err ady_nsm_describe(struct ady_nsm *nsm, struct ady_nsm_info *info, struct ady_fault *f)
{
	struct ady_buf b = begin(nsm);
	struct ady_bytes answer;
	enum ady_err err;

	*info = (struct ady_nsm_info){0};
	ady_nsm_put_plain(&b, "DescribeNSM");
	if ((err = call(nsm, &b, &answer, f)) == ADY_OK)
		err = ady_nsm_read_info(answer, info, f);
	return end(nsm, err);
}

enum ady_err ady_nsm_pcr(struct ady_nsm *nsm, uint32_t index, struct ady_nsm_pcr *pcr,
                         struct ady_fault *f)
{
	struct ady_buf b = begin(nsm);
	struct ady_bytes answer;
	enum ady_err err;

	*pcr = (struct ady_nsm_pcr){0};
	ady_nsm_put_number(&b, "DescribePCR", "index", index);
	if ((err = call(nsm, &b, &answer, f)) == ADY_OK)
		err = ady_nsm_read_pcr(answer, pcr, f);
	return end(nsm, err);
}

enum ady_err ady_nsm_extend(struct ady_nsm *nsm, uint32_t index, struct ady_bytes data,
                            uint8_t data48[static 48], struct ady_fault *f)
{
	struct ady_buf b = begin(nsm);
	struct ady_bytes answer;
	enum ady_err err;

	ady_nsm_put_extend(&b, index, data);
	if ((err = call(nsm, &b, &answer, f)) == ADY_OK)
		err = ady_nsm_read_extend(answer, data48, f);
	return end(nsm, err);
}

enum ady_err ady_nsm_lock(struct ady_nsm *nsm, uint32_t range, struct ady_fault *f)
{
	struct ady_buf b = begin(nsm);
	struct ady_bytes answer;
	enum ady_err err;

	ady_nsm_put_number(&b, "LockPCRs", "range", range);
	if ((err = call(nsm, &b, &answer, f)) == ADY_OK)
		err = ady_nsm_read_plain(answer, "LockPCRs", f);
	return end(nsm, err);
}

/* One GetRandom, at most n bytes of it. */
static enum ady_err some_random(struct ady_nsm *nsm, uint8_t *out, size_t *n, struct ady_fault *f)
{
	struct ady_buf b = begin(nsm);
	struct ady_bytes answer, random = {0};
	enum ady_err err;

	ady_nsm_put_plain(&b, "GetRandom");
	if ((err = call(nsm, &b, &answer, f)) == ADY_OK)
		err = ady_nsm_read_random(answer, &random, f);
	if (err == ADY_OK) {
		*n = random.n < *n ? random.n : *n;
		memcpy(out, random.p, *n);
	}
	return end(nsm, err);
}

enum ady_err ady_nsm_random(struct ady_nsm *nsm, uint8_t *out, size_t n, struct ady_fault *f)
{
	while (n > 0) {
		size_t got = n;
		enum ady_err err = some_random(nsm, out, &got, f);

		if (err != ADY_OK)
			return err;
		out += got;
		n -= got;
	}
	return ADY_OK;
}

enum ady_err ady_nsm_attest(struct ady_nsm *nsm, const struct ady_nsm_attest *attest,
                            struct ady_buf *out, struct ady_fault *f)
{
	struct ady_buf b = begin(nsm);
	struct ady_bytes answer, document = {0};
	enum ady_err err;

	ady_nsm_put_attest(&b, attest);
	if ((err = call(nsm, &b, &answer, f)) == ADY_OK)
		err = ady_nsm_read_attest(answer, &document, f);
	if (err == ADY_OK) {
		ady_buf_view(out, document);
		if (out->full)
			err = ady_fail(f, ADY_E_TOO_LARGE, "", "the document does not fit");
	}
	return end(nsm, err);
}
