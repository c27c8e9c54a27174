/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses a text in memory with a model, shows which pieces of it cost most,
 * and restores it.
 *
 *     compress_buffer [MODEL]     a name or a path; the default model without
 */
#include <llma/llma.h>
#include <stdio.h>
#include <string.h>

static const char text[] =
    "A compressor that has read a lot needs few bits for what it expects.\n";

static int fail(const llma_error *error) {
  fprintf(stderr, "compress_buffer: %s: %s\n", llma_status_name(error->status),
          error->text);
  return 1;
}

static int show_costs(const llma_options *options, llma_error *error) {
  llma_inspection *inspection = NULL;
  llma_inspection_info info = LLMA_INIT(llma_inspection_info);
  if (llma_inspect(text, strlen(text), 1, options, &inspection, error) !=
      LLMA_OK) {
    return fail(error);
  }
  llma_inspection_get_info(inspection, &info, NULL);
  for (uint64_t i = 0; i < info.num_pieces; ++i) {
    llma_piece piece = LLMA_INIT(llma_piece);
    if (llma_inspection_get_piece(inspection, i, &piece, error) != LLMA_OK) {
      llma_inspection_free(inspection);
      return fail(error);
    }
    printf("%6.2f bits  '%.*s'\n", piece.bits, (int)piece.size_bytes,
           text + piece.content_ofs);
  }
  llma_inspection_free(inspection);
  return 0;
}

int main(int argc, char **argv) {
  llma_error error;
  llma_model *model = NULL;
  llma_options *options = NULL;
  void *file = NULL, *content = NULL;
  size_t file_bytes = 0, content_bytes = 0;
  int status = 1;

  if (llma_model_open(argc > 1 ? argv[1] : NULL, &model, &error) != LLMA_OK ||
      llma_options_create(&options, &error) != LLMA_OK ||
      llma_options_set_model(options, model, &error) != LLMA_OK ||
      llma_compress(text, strlen(text), options, &file, &file_bytes, &error) !=
          LLMA_OK ||
      llma_decompress(file, file_bytes, options, &content, &content_bytes,
                      &error) != LLMA_OK) {
    status = fail(&error);
  } else if (content_bytes != strlen(text) ||
             memcmp(content, text, content_bytes) != 0) {
    fprintf(stderr, "compress_buffer: the text was not restored\n");
  } else {
    status = show_costs(options, &error);
    printf("%zu -> %zu bytes\n", content_bytes, file_bytes);
  }
  llma_free(content);
  llma_free(file);
  llma_options_free(options);
  llma_model_free(model); /* in any order */
  return status;
}
