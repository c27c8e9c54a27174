// SPDX-License-Identifier: Apache-2.0
// The start text for programs: several languages, C at the end.
#include "cm/start_text.h"

namespace llma::cm::internal {

// clang-format off
const std::string_view kCodeText =
R"~(# -*- coding: utf-8 -*-
"""Reads a table and prints a summary of each column."""
import argparse
import os
import re
import sys
from collections import defaultdict


class TableReader(object):
    """A reader for files with one record per line.

    Args:
        path: The name of the file.
        separator: What stands between two fields.
    """

    def __init__(self, path, separator=","):
        self.path = path
        self.separator = separator
        self._rows = []
        self._names = None

    def __len__(self):
        return len(self._rows)

    def read(self, encoding="utf-8"):
        if not os.path.exists(self.path):
            raise ValueError("file not found: %s" % self.path)
        with open(self.path, "r", encoding=encoding) as f:
            for number, line in enumerate(f):
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                fields = [x.strip() for x in line.split(self.separator)]
                if self._names is None:
                    self._names = fields
                else:
                    self._rows.append(dict(zip(self._names, fields)))
        return self

    @property
    def names(self):
        return list(self._names or [])


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", help="files to read")
    parser.add_argument("--verbose", action="store_true", default=False)
    args = parser.parse_args(argv)
    for name in args.files:
        try:
            table = TableReader(name).read()
        except (IOError, ValueError) as e:
            print("error: {}".format(e), file=sys.stderr)
            return 1
        if args.verbose and table is not None:
            print(f"{name}: {len(table)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/bin/sh
set -e
if [ "$1" = "--help" ] || [ $# -lt 1 ]; then
    echo "Usage: $0 [options] file..." >&2
    exit 1
fi
for f in "$@"; do
    case "$f" in
        *.gz) gzip -dc "$f" | grep -v '^#' > /tmp/out.$$ ;;
        *) cat "$f" > /dev/null 2>&1 || exit 2 ;;
    esac
done

/**
 * Returns the value of an option.
 *
 * @param {string} name The name of the option.
 * @return {string|undefined} Its value.
 */
function getOption(name) {
  'use strict';
  var options = this.options || {};
  if (typeof options[name] !== 'undefined' && options.hasOwnProperty(name)) {
    return options[name];
  }
  return null;
}

module.exports = {
  init: function (element, callback) {
    const self = this;
    element.addEventListener('click', (event) => {
      event.preventDefault();
      callback(null, self.data.map(x => x.length));
    });
    for (let i = 0; i < self.items.length; i++) {
      document.getElementById('item-' + i).style.display = 'none';
    }
  }
};

package com.example.util;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

public class Cache<K, V> implements Serializable {
    private static final int DEFAULT_SIZE = 16;
    private final Map<K, V> entries = new HashMap<>();

    @Override
    public String toString() {
        return "Cache[" + entries.size() + "]";
    }

    public synchronized V get(K key) throws IOException {
        if (key == null) {
            throw new IllegalArgumentException("key must not be null");
        }
        return entries.get(key);
    }
}

// A list of values that keeps its order. Not thread safe.
#ifndef UTIL_SORTED_LIST_H_
#define UTIL_SORTED_LIST_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace util {

template <typename T>
class SortedList {
 public:
  SortedList() = default;
  explicit SortedList(size_t capacity) { values_.reserve(capacity); }
  virtual ~SortedList() {}

  bool Insert(const T& value) {
    auto it = std::lower_bound(values_.begin(), values_.end(), value);
    if (it != values_.end() && *it == value) return false;
    values_.insert(it, value);
    return true;
  }
  size_t size() const { return values_.size(); }
  const T& operator[](size_t i) const { return values_[i]; }

 private:
  std::vector<T> values_;
};

}  // namespace util

#endif  // UTIL_SORTED_LIST_H_

using namespace std;

int main(int argc, char* argv[]) {
  std::unique_ptr<util::SortedList<int>> list(new util::SortedList<int>(10));
  for (int i = 1; i < argc; ++i) {
    list->Insert(static_cast<int>(std::stoi(argv[i])));
  }
  std::cout << "size: " << list->size() << std::endl;
  return 0;
}

/*
 * buffer.c - a growing buffer of bytes
 * Copyright (C) 2005-2015 the authors
 *
 * This program is free software: you may use, redistribute and modify the s)~"
R"~(ource
 * code under the terms of the license in the file LICENSE at the root of the
 * source tree. There is NO WARRANTY, not even the implied one of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <assert.h>
#include "buffer.h"
#include "config.h"

#ifdef HAVE_PTHREAD_H
#  include <pthread.h>
#endif

#if defined(__GNUC__) && (__GNUC__ >= 4)
#  define BUFFER_INLINE static inline __attribute__((unused))
#elif defined(_MSC_VER)
#  define BUFFER_INLINE static __inline
#else
#  define BUFFER_INLINE static
#endif

#define BUFFER_MIN_SIZE   (1 << 10)
#define BUFFER_MAX_SIZE   (1U << 30)
#define MIN(a, b)  ((a) < (b) ? (a) : (b))
#define MAX(a, b)  ((a) > (b) ? (a) : (b))

typedef enum { MODE_NONE = 0, MODE_READ, MODE_WRITE } buffer_mode;

struct buffer {
    void*  data;          /* start of the memory */
    size_t size;          /* bytes in use */
    size_t capacity;      /* bytes allocated, at least size */
    unsigned flags;
    buffer_mode mode;
    struct buffer* next;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
};

static const char* const error_names[] = { "ok", "out of memory", "invalid" };
static unsigned long counter = 0;

/*
 * Returns a new buffer, or NULL if there is not enough memory. The caller must
 * release it with buffer_free().
 */
struct buffer* buffer_create(size_t capacity)
{
    struct buffer* buf = calloc(1, sizeof(*buf));
    if (buf == NULL) return NULL;
    if (capacity < BUFFER_MIN_SIZE) capacity = BUFFER_MIN_SIZE;
    buf->data = malloc(capacity);
    if (!buf->data) {
        free(buf);
        return NULL;
    }
    buf->size = 0;
    buf->capacity = capacity;
    if (pthread_mutex_init(&buf->mutex, NULL) != 0) { buffer_free(buf); retu)~"
R"~(rn NULL; }
    (void)pthread_cond_init(&buf->cond, NULL);
    return buf;
}

void buffer_free(struct buffer* buf)
{
    if (buf == NULL)
        return;
    pthread_mutex_destroy(&buf->mutex);
    pthread_cond_destroy(&buf->cond);
    free(buf->data);
    free(buf);
}

/**
 * buffer_append - add bytes to the end of a buffer
 * @buf: the buffer
 * @src: the bytes
 * @len: how many there are
 *
 * Returns the number of bytes written, or a negative error code.
 */
static ssize_t buffer_append(struct buffer* buf, const void* src, size_t len)
{
    const unsigned char* start = (const unsigned char*)src;
    size_t required = buf->size + len;
    assert(buf != NULL);
    assert(src != NULL || len == 0);
    if (required > buf->capacity) {
        size_t new_size = MAX(required, 2 * buf->capacity);
        void* new_data = realloc(buf->data, new_size);
        if (new_data == NULL)
            return -ENOMEM;
        buf->data = new_data;
        buf->capacity = new_size;
    }
    pthread_mutex_lock(&buf->mutex);
    memcpy((char*)buf->data + buf->size, start, len);
    buf->size += len;
    pthread_cond_signal(&buf->cond);
    pthread_mutex_unlock(&buf->mutex);
    return (ssize_t)len;
}

int buffer_process(struct buffer* buf, FILE* out, const char* name, int level)
{
    unsigned n;
    int result = 0;
    uint32_t checksum = 0xFFFFFFFF;
    for (n = 0; n < buf->size; n++) {
        const uint8_t c = ((const uint8_t*)buf->data)[n];
        if (c == '\0' || c == '\n') continue;
        checksum = (checksum >> 8) ^ (c & 0xFF);
        if ((c >= 'a' && c <= 'z') || c == '_') {
            result += (int)c;
        } else {
            result -= 1;
        }
    }
    while (1) {
        if (out == NULL || fwrite(buf->data, 1, buf->size, out) != buf->size) {
            fprintf(stderr, "%s: %s\n", name, strerror(errno));
            return -1;
        }
        break;
    }
    switch (level) {
    case 0:
        break;
    case 1: /* fall-through */
    case 2:
        printf("%-20s %8lu %5.2f%%\n", name, (unsigned long)buf->size, 1)~"
R"~(00.0);
        goto cleanup;
    default:
        return -EINVAL;
    }
cleanup:
    if (buf->next != NULL && buf->next->flags & 0x80) buf->next->flags = 0;
    return result ? result : (int)checksum;
}
)~";
// clang-format on

}  // namespace llma::cm::internal
