/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses a text in memory and restores it, for limits_test.py:
 *
 *     codec_in_limits MODEL LEVEL THREADS
 *
 * Exit status: 0 the text came back, 1 an error, which is told, 3 another text. */
#include <llma/llma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char part[] =
    "The library neither prints nor exits; what fails comes back as a value.\n";
enum { num_parts = 16 };

static int fail(const llma_error *error) {
  fprintf(stderr, "codec_in_limits: %s: %s\n", llma_status_name(error->status),
          error->text);
  return 1;
}

int main(int argc, char **argv) {
  llma_error error;
  llma_model *model = NULL;
  llma_options *options = NULL;
  void *file = NULL, *content = NULL;
  size_t file_bytes = 0, content_bytes = 0;
  char text[num_parts * (sizeof(part) - 1)];
  int status = 3;

  if (argc != 4) return 2;
  for (size_t i = 0; i < num_parts; ++i) {
    memcpy(text + i * (sizeof(part) - 1), part, sizeof(part) - 1);
  }
  if (llma_model_open(argv[1], &model, &error) != LLMA_OK ||
      llma_options_create(&options, &error) != LLMA_OK ||
      llma_options_set(options, LLMA_OPTION_LEVEL,
                       strtoull(argv[2], NULL, 10), &error) != LLMA_OK ||
      llma_options_set(options, LLMA_OPTION_THREADS,
                       strtoull(argv[3], NULL, 10), &error) != LLMA_OK ||
      llma_options_set_model(options, model, &error) != LLMA_OK ||
      llma_compress(text, sizeof(text), options, &file, &file_bytes, &error) !=
          LLMA_OK ||
      llma_decompress(file, file_bytes, options, &content, &content_bytes,
                      &error) != LLMA_OK) {
    status = fail(&error);
  } else if (content_bytes == sizeof(text) &&
             memcmp(content, text, sizeof(text)) == 0) {
    status = 0;
  } else {
    fprintf(stderr, "codec_in_limits: the text was not restored\n");
  }
  llma_free(file);
  llma_free(content);
  llma_options_free(options);
  llma_model_free(model);
  return status;
}
