/* SPDX-License-Identifier: Apache-2.0
 *
 * Log lines on standard error, one per event: time, level, program, event, key=value pairs. Never a
 * secret, a credential or a body; control characters become '?'. Thread rule: any thread; a line is
 * written by one write(2). */
#ifndef ADY_BASE_LOG_H
#define ADY_BASE_LOG_H

enum ady_log_level { ADY_LOG_DEBUG, ADY_LOG_INFO, ADY_LOG_WARN, ADY_LOG_ERROR };

/* Name the program and set the lowest level that is written (ADY_LOG_INFO before this call). */
void ady_log_open(const char *program, enum ady_log_level lowest);

/* Write one line: event is a few plain words, fmt gives "key=value ..." and may be "". */
void ady_log(enum ady_log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define ADY_DEBUG(event, ...) ady_log(ADY_LOG_DEBUG, event, __VA_ARGS__)
#define ADY_INFO(event, ...) ady_log(ADY_LOG_INFO, event, __VA_ARGS__)
#define ADY_WARN(event, ...) ady_log(ADY_LOG_WARN, event, __VA_ARGS__)
#define ADY_ERROR(event, ...) ady_log(ADY_LOG_ERROR, event, __VA_ARGS__)

#endif
