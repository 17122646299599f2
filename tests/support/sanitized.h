/*
 * sanitized.h: whether this build has AddressSanitizer or ThreadSanitizer, of gcc or of clang. They
 * keep memory of their own, and forbid what a few tests do to a process.
 */

#ifndef CAIRN_TESTS_SANITIZED_H
#define CAIRN_TESTS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#endif
