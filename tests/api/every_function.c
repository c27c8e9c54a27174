/* SPDX-License-Identifier: Apache-2.0 */
/* Uses every function of llma.h from C11, as check_functions.py sees to.
 *
 *     every_function MODEL.llmm MODEL.gguf FOLDER      FOLDER: empty, to write
 * to
 *
 * With LLMA_TEST_HOST=hostile in the environment, it rounds upwards and has no
 * subnormals; what it prints is the same.
 */
#define _POSIX_C_SOURCE 200809L

#include <fenv.h>
#include <llma/llma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static int num_failed;
static llma_error error;

/* The floating-point environment: as it is, or one in which arithmetic goes
 * wrong that does not set its own. Results are the same, and it stays as it is.
 */
static void make_hostile(void) {
  fesetround(FE_UPWARD);
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040); /* subnormals are zeros, in and out */
#endif
}
static unsigned fp_state(void) {
  unsigned state = (unsigned)fegetround();
#if defined(__x86_64__)
  state |= (_mm_getcsr() & 0xffc0u) << 16;
#endif
  return state;
}
static unsigned first_fp_state;

#define CHECK(what)                                                      \
  do {                                                                   \
    if (!(what)) {                                                       \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, error.text); \
      ++num_failed;                                                      \
    }                                                                    \
    if (fp_state() != first_fp_state) {                                  \
      fprintf(stderr, "line %d: another environment\n", __LINE__);       \
      ++num_failed;                                                      \
    }                                                                    \
  } while (0)
#define CHECK_OK(call) CHECK((call) == LLMA_OK)

/* Structs without a size, whose layout is final. */
_Static_assert(sizeof(llma_error) == 1024 &&
                   offsetof(llma_error, offset) == 8 &&
                   offsetof(llma_error, text) == 16,
               "llma_error");
_Static_assert(sizeof(llma_input) == 3 * sizeof(void *) &&
                   offsetof(llma_input, used_bytes) == 2 * sizeof(void *),
               "llma_input");
_Static_assert(sizeof(llma_output) == 3 * sizeof(void *) &&
                   offsetof(llma_output, used_bytes) == 2 * sizeof(void *),
               "llma_output");

/* A content of several frames. */
enum { kContentBytes = 10000, kFrameBytes = 4096, kFileBytes = 20000 };
static char content[kContentBytes];

/* What callbacks were told, and a place to write to. */
typedef struct told {
  llma_model *model;
  int num_progress, num_frames, num_notes, num_asked, num_lost;
  char bytes[kContentBytes];
  size_t size;
  uint64_t skipped_bytes;
} told;

/* All results, in one number (FNV-1a). */
static uint64_t results = 0xcbf29ce484222325u;
static void note(const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  for (; size > 0; --size) results = (results ^ *at++) * 0x100000001b3u;
}
static void note_number(double number) { note(&number, sizeof(number)); }

static int on_progress(void *user, const llma_progress *progress) {
  (void)progress->done_bytes;
  ++((told *)user)->num_progress;
  return 0;
}
static void on_frame(void *user, const llma_frame_info *frame) {
  CHECK(frame->content_bytes > 0 && frame->frame_bytes > 0);
  ++((told *)user)->num_frames;
}
static void on_note(void *user, const char *text) {
  CHECK(text != NULL);
  ++((told *)user)->num_notes;
}
static llma_status find_model(void *user, const uint8_t *id, size_t id_bytes,
                              uint32_t candidate, llma_model **model,
                              llma_error *failed) {
  told *t = user;
  ++t->num_asked;
  (void)id;
  if (id_bytes > 8 || candidate > 0) {
    snprintf(failed->text, sizeof(failed->text), "there is one model");
    return LLMA_ERROR_MODEL_MISSING;
  }
  *model = llma_model_share(t->model);
  return LLMA_OK;
}
static llma_status write_bytes(void *user, const void *bytes, size_t size,
                               llma_error *failed) {
  told *t = user;
  if (size > sizeof(t->bytes) - t->size) {
    snprintf(failed->text, sizeof(failed->text), "no room");
    return LLMA_ERROR_IO;
  }
  memcpy(t->bytes + t->size, bytes, size);
  t->size += size;
  return LLMA_OK;
}
static llma_status skip_bytes(void *user, uint64_t lost_bytes,
                              llma_error *failed) {
  (void)failed;
  ((told *)user)->skipped_bytes += lost_bytes;
  return LLMA_OK;
}
static void on_lost(void *user, uint64_t content_ofs, uint64_t lost_bytes) {
  CHECK(content_ofs < kContentBytes && lost_bytes > 0);
  ++((told *)user)->num_lost;
}

static void check_machine(void) {
  const char *name = NULL;
  double peak = -1;
  size_t i;
  CHECK(strcmp(llma_version_string(), "1.0.0") == 0);
  CHECK(llma_version_number() == LLMA_VERSION_NUMBER);
  CHECK(llma_format_version() > 0 && llma_predictor_version() > 0);
  CHECK(llma_model_format_version() == 0);
  CHECK(strcmp(llma_status_name(LLMA_ERROR_LIMIT), "LLMA_ERROR_LIMIT") == 0);
  CHECK(llma_num_processors() > 0);
  CHECK(llma_usable_memory_bytes() > 0);
  CHECK(llma_kernels_count() > 0);
  for (i = 0; i < llma_kernels_count(); ++i) {
    llma_kernels_info info = LLMA_INIT(llma_kernels_info);
    CHECK_OK(llma_kernels_get(i, &info, &error));
    CHECK(info.name != NULL && info.description != NULL);
  }
  CHECK_OK(llma_kernels_used(&name, &error));
  CHECK_OK(llma_measure_int8_peak(name, 1, &peak, &error));
  CHECK(llma_engine_count() > 0);
  for (i = 0; i < llma_engine_count(); ++i) {
    llma_engine_info info = LLMA_INIT(llma_engine_info);
    CHECK_OK(llma_engine_get(i, &info, &error));
    CHECK(info.name != NULL && info.description != NULL);
  }
  CHECK_OK(llma_engine_used(&name, &error));
  CHECK(strcmp(name, "cpu") == 0);
  CHECK(llma_engine_failed(&error) == 0);
  for (i = 0; i < llma_device_count(); ++i) {
    llma_device_info info = LLMA_INIT(llma_device_info);
    CHECK_OK(llma_device_get(i, &info, &error));
    CHECK(info.name != NULL && info.driver != NULL && info.verdict != NULL);
  }
  CHECK(llma_device_get(i, NULL, &error) == LLMA_ERROR_USAGE);
  CHECK(peak >= 0);
  CHECK(llma_level_uses_model(LLMA_LEVEL_DEFAULT) == 1);
  CHECK(llma_level_uses_model(LLMA_LEVEL_FASTEST) == 0);
}

/* Memory of levels. */
static void check_level_info(const char *model_path) {
  llma_model *model = NULL;
  llma_options *options = NULL;
  llma_level_info info = LLMA_INIT(llma_level_info);
  llma_level_info large = LLMA_INIT(llma_level_info);
  CHECK_OK(llma_model_open(model_path, &model, &error));
  CHECK_OK(llma_options_create(&options, &error));
  CHECK_OK(llma_options_set_model(options, model, &error));
  llma_model_free(model);
  CHECK_OK(llma_options_set(options, LLMA_OPTION_LEVEL, 1, &error));
  CHECK_OK(llma_level_get_info(options, 1000, &info, &error));
  CHECK(info.uses_model == 0 && info.model_bytes == 0 && info.max_lanes == 0);
  CHECK(info.compress_bytes > 1000 && info.decompress_bytes > 1000);
  CHECK_OK(llma_level_get_info(options, 0, &large, &error));
  CHECK(large.compress_bytes > info.compress_bytes);
  CHECK_OK(llma_options_set(options, LLMA_OPTION_LEVEL, 6, &error));
  CHECK_OK(llma_level_get_info(options, 100000, &info, &error));
  CHECK(info.uses_model == 1 && info.model_bytes > 0 && info.window > 0);
  CHECK_OK(llma_options_set(options, LLMA_OPTION_LANES, 64, &error));
  CHECK_OK(llma_level_get_info(options, 100000, &large, &error));
  CHECK(large.max_lanes == 64);
  CHECK(large.decompress_bytes > info.decompress_bytes);
  note_number((double)large.compress_bytes);
  note_number((double)large.decompress_bytes);
  llma_options_free(options);
}

/* Installs a model in `folder`, looks at it, and removes it. */
static void check_store(const char *gguf, const char *folder) {
  llma_import_options how = LLMA_INIT(llma_import_options);
  llma_pull_options pull = LLMA_INIT(llma_pull_options);
  told told_by_import = {0};
  llma_installed_model installed = LLMA_INIT(llma_installed_model);
  llma_model_cost cost = LLMA_INIT(llma_model_cost);
  llma_model_list *list = NULL;
  llma_model *model = NULL;
  uint8_t made[LLMA_FINGERPRINT_BYTES], read[LLMA_FINGERPRINT_BYTES];
  char *path = NULL, *name = llma_model_name_from_path(gguf), archive[4096];
  CHECK(name != NULL && strcmp(name, "tiny") == 0);
  CHECK(llma_is_model_name(name) == 1 && llma_is_model_name("A b") == 0);
  how.name = name;
  how.note = on_note;
  how.user = &told_by_import;
  CHECK_OK(llma_model_import(gguf, NULL, &how, &path, made, &error));
  CHECK(told_by_import.num_notes == 0); /* nothing is approximated */
  CHECK(path != NULL && strstr(path, "/llma/tiny.llmm") != NULL);
  llma_free(path);

  CHECK_OK(llma_model_list_create(&list, &error));
  CHECK(llma_model_list_size(list) == 1);
  CHECK_OK(llma_model_list_get(list, 0, &installed, &error));
  CHECK(strcmp(installed.name, "tiny") == 0);
  note(made, sizeof(made));
  CHECK(memcmp(installed.fingerprint, made, sizeof(made)) == 0);
  CHECK(installed.is_default == 1); /* as the only one */
  CHECK(llma_model_list_problem(list, 0) == NULL);
  CHECK(llma_model_list_search_path(list, 0) != NULL);
  llma_model_list_free(list);

  CHECK_OK(llma_model_find(made, 8, 0, &model, &error));
  llma_model_free(model);
  CHECK(llma_model_find(made, 8, 1, &model, &error) ==
        LLMA_ERROR_MODEL_MISSING);
  CHECK_OK(llma_model_measure("tiny", NULL, content, 50, 9, 1, &cost, &error));
  CHECK(cost.num_tokens == 9 && cost.num_bytes >= 9);
  CHECK(cost.exact_bits > 0 && cost.float_bits < 0);
  note_number(cost.exact_bits);
  CHECK_OK(llma_model_measure(gguf, NULL, content, 50, 9, 1, &cost, &error));
  CHECK(cost.num_tokens == 9 && cost.float_bits > 0);
  note_number(cost.float_bits);
  CHECK(llma_model_measure(gguf, NULL, content, 50, 0, 1, &cost, &error) ==
        LLMA_ERROR_USAGE);
  CHECK_OK(llma_model_verify("tiny", &path, read, &error));
  CHECK(memcmp(read, made, sizeof(made)) == 0);
  note(read, sizeof(read));
  llma_free(path);
  snprintf(archive, sizeof(archive), "%s/tiny.tar", folder);
  CHECK_OK(llma_model_export("tiny", archive, 0, &error));
  CHECK(llma_model_export("tiny", archive, 0, &error) == LLMA_ERROR_USAGE);
  CHECK(remove(archive) == 0);
  CHECK_OK(llma_model_remove("tiny", &path, &error));
  llma_free(path);
  CHECK(llma_model_open("tiny", &model, &error) == LLMA_ERROR_MODEL_MISSING);
  pull.progress = on_progress;
  pull.note = on_note;
  CHECK(llma_model_pull("no-such-name", &pull, &path, NULL, NULL, &error) ==
        LLMA_ERROR_USAGE);
  llma_free(name);
}

static void check_whole_buffers(const llma_options *options) {
  void *file = NULL, *back = NULL;
  size_t file_bytes = 0, back_bytes = 0;
  CHECK_OK(
      llma_compress_short(content, 20, options, &file, &file_bytes, &error));
  CHECK(llma_recognize(file, file_bytes) == LLMA_KIND_SHORT_MESSAGE);
  note(file, file_bytes);
  CHECK_OK(
      llma_decompress(file, file_bytes, options, &back, &back_bytes, &error));
  CHECK(back_bytes == 20 && memcmp(back, content, 20) == 0);
  llma_free(file);
  llma_free(back);
}

/* What was made with the reference of other options is restored by them. */
static void check_shared_reference(const llma_options *from) {
  llma_options *options = NULL, *others = NULL;
  void *file = NULL, *back = NULL;
  size_t file_bytes = 0, back_bytes = 0;
  CHECK_OK(llma_options_create(&options, &error));
  CHECK_OK(llma_options_set(options, LLMA_OPTION_LEVEL, 1, &error));
  CHECK_OK(llma_options_share_reference(options, from, &error));
  CHECK_OK(llma_compress(content, kContentBytes, options, &file, &file_bytes,
                         &error));
  CHECK_OK(llma_decompress(file, file_bytes, from, &back, &back_bytes, &error));
  CHECK(back_bytes == kContentBytes && memcmp(back, content, back_bytes) == 0);
  llma_free(back);
  /* From options to others, of which the first go. */
  CHECK_OK(llma_options_create(&others, &error));
  CHECK_OK(llma_options_share_reference(others, options, &error));
  CHECK_OK(llma_options_set_reference(options, NULL, 0, &error));
  CHECK(llma_decompress(file, file_bytes, options, &back, &back_bytes,
                        &error) == LLMA_ERROR_REFERENCE);
  CHECK(llma_options_share_reference(options, NULL, &error) ==
        LLMA_ERROR_USAGE);
  CHECK(llma_options_share_reference(NULL, options, &error) ==
        LLMA_ERROR_USAGE);
  llma_options_free(options);
  CHECK_OK(
      llma_decompress(file, file_bytes, others, &back, &back_bytes, &error));
  CHECK(back_bytes == kContentBytes && memcmp(back, content, back_bytes) == 0);
  llma_free(back);
  llma_free(file);
  llma_options_free(others);
}

/* The file that decoders and readers are checked with; its size. */
static size_t check_encoder(const llma_options *options, char *file) {
  llma_encoder *encoder = NULL;
  llma_input input = {content, kContentBytes, 0};
  llma_output output = {file, kFileBytes, 0};
  llma_totals totals = LLMA_INIT(llma_totals);
  llma_stats stats = LLMA_INIT(llma_stats);
  llma_status status;
  llma_reader part, source = llma_memory_reader(content, kContentBytes);
  uint64_t content_bytes = 0, part_bytes = 0;
  void *whole = NULL;
  size_t whole_bytes = 0;
  CHECK_OK(llma_encoder_create(options, &encoder, &error));
  do {
    status = llma_encoder_run(encoder, &input, &output, LLMA_FINISH, &error);
  } while (status == LLMA_NEED_OUTPUT);
  CHECK_OK(status);
  CHECK_OK(llma_encoder_get_totals(encoder, &totals, &error));
  CHECK(totals.content_bytes == kContentBytes);
  CHECK(totals.file_bytes == output.used_bytes);
  note(file, output.used_bytes);
  note(&totals.content_xxh3, sizeof(totals.content_xxh3));
  CHECK_OK(llma_encoder_get_stats(encoder, &stats, &error));
  CHECK(stats.seconds[LLMA_STAGE_CODING] > 0);
  llma_encoder_free(encoder);

  CHECK_OK(llma_compress(content, kContentBytes, options, &whole, &whole_bytes,
                         &error));
  CHECK(whole_bytes == output.used_bytes &&
        memcmp(whole, file, whole_bytes) == 0);
  llma_free(whole);

  /* As if it had been interrupted in the last frame. */
  part = llma_memory_reader(file, output.used_bytes - 100);
  CHECK_OK(llma_encoder_create(options, &encoder, &error));
  CHECK_OK(llma_encoder_resume(encoder, &part, &source, &content_bytes,
                               &part_bytes, &error));
  CHECK(content_bytes > 0 && content_bytes % kFrameBytes == 0);
  CHECK(part_bytes > 0 && part_bytes < output.used_bytes);
  llma_encoder_cancel(encoder);
  input.used_bytes = (size_t)content_bytes;
  output.used_bytes = (size_t)part_bytes;
  CHECK(llma_encoder_run(encoder, &input, &output, LLMA_FINISH, &error) ==
        LLMA_ERROR_CANCELLED);
  llma_encoder_free(encoder);
  return (size_t)totals.file_bytes;
}

/* A file of frames that were made one by one; the options say no source. */
static void check_frames_made_apart(const llma_options *options) {
  static char frame[kFileBytes], made[kFileBytes];
  llma_cutter *cutter = NULL;
  llma_encoder *joiner = NULL, *encoder = NULL;
  llma_input all = {content, kContentBytes, 0}, part = {content, 0, 0};
  llma_output output = {made, kFileBytes, 0}, single;
  llma_status status;
  uint64_t frame_bytes = 0;
  void *file = NULL;
  size_t file_bytes = 0;
  CHECK_OK(llma_compress(content, kContentBytes, options, &file, &file_bytes,
                         &error));
  CHECK_OK(llma_cutter_create(options, &cutter, &error));
  CHECK(llma_cutter_run(cutter, NULL, LLMA_RUN, &frame_bytes, &error) ==
        LLMA_NEED_INPUT);
  CHECK(llma_cutter_run(cutter, NULL, LLMA_FLUSH, &frame_bytes, &error) ==
        LLMA_ERROR_USAGE);
  CHECK_OK(llma_encoder_create(options, &joiner, &error));
  do {
    status = llma_cutter_run(cutter, &all, LLMA_FINISH, &frame_bytes, &error);
    CHECK(status == LLMA_OK || status == LLMA_NEED_OUTPUT);
    single.data = frame;
    single.size_bytes = kFileBytes;
    single.used_bytes = 0;
    part.size_bytes = part.used_bytes + (size_t)frame_bytes;
    CHECK_OK(llma_encoder_create(options, &encoder, &error));
    do {
      CHECK(llma_encoder_run(encoder, &part, &single, LLMA_FLUSH, &error) <= 0);
    } while (part.used_bytes < part.size_bytes);
    CHECK_OK(llma_encoder_run(encoder, &part, &single, LLMA_FLUSH, &error));
    llma_encoder_free(encoder);
    CHECK_OK(llma_encoder_add_frames(joiner, frame, single.used_bytes, &error));
  } while (status == LLMA_NEED_OUTPUT);
  CHECK_OK(llma_encoder_run(joiner, NULL, &output, LLMA_FINISH, &error));
  CHECK(output.used_bytes == file_bytes && memcmp(made, file, file_bytes) == 0);
  llma_free(file);
  CHECK(llma_encoder_add_frames(joiner, frame, 1, &error) == LLMA_ERROR_USAGE);
  llma_encoder_free(joiner);
  CHECK(llma_cutter_run(cutter, NULL, LLMA_FINISH, &frame_bytes, &error) ==
        LLMA_ERROR_USAGE);
  llma_cutter_free(cutter);
}

static void check_decoder(const llma_options *options, const char *file,
                          size_t file_bytes) {
  static char back[kContentBytes];
  llma_decoder *decoder = NULL;
  llma_input input = {file, file_bytes, 0};
  llma_output output = {back, sizeof(back), 0};
  llma_totals totals = LLMA_INIT(llma_totals);
  llma_stats stats = LLMA_INIT(llma_stats);
  llma_source_info source = LLMA_INIT(llma_source_info);
  llma_status status;
  CHECK_OK(llma_decoder_create(options, &decoder, &error));
  do {
    status = llma_decoder_run(decoder, &input, &output, LLMA_FINISH, &error);
  } while (status == LLMA_NEED_OUTPUT);
  CHECK_OK(status);
  CHECK(output.used_bytes == kContentBytes);
  CHECK(memcmp(back, content, kContentBytes) == 0);
  CHECK_OK(llma_decoder_get_totals(decoder, &totals, &error));
  CHECK(totals.file_bytes == file_bytes);
  note(&totals.content_xxh3, sizeof(totals.content_xxh3));
  CHECK_OK(llma_decoder_get_stats(decoder, &stats, &error));
  CHECK_OK(llma_decoder_get_source_info(decoder, &source, &error));
  CHECK(source.name != NULL && strcmp(source.name, "words.txt") == 0);
  llma_decoder_cancel(decoder);
  llma_decoder_free(decoder);
}

static void check_files(const llma_options *options, char *file,
                        size_t file_bytes) {
  const llma_reader reader = llma_memory_reader(file, file_bytes);
  llma_file_map *map = NULL;
  llma_file_info info = LLMA_INIT(llma_file_info);
  llma_frame_info frame = LLMA_INIT(llma_frame_info);
  llma_source_info source = LLMA_INIT(llma_source_info);
  llma_salvage_report report = LLMA_INIT(llma_salvage_report);
  llma_sink sink = LLMA_INIT(llma_sink);
  told *t = calloc(1, sizeof(told));
  if (t == NULL) return;
  sink.user = t;
  sink.write = write_bytes;
  sink.skip = skip_bytes;
  sink.lost = on_lost;
  CHECK_OK(llma_read_file_info(&reader, &info, &error));
  CHECK(info.num_frames == 3 && info.content_bytes == kContentBytes);
  CHECK_OK(llma_read_source_info(&reader, &source, &error));
  CHECK(source.mode == 0640 && source.mtime_seconds == 1234567890);
  llma_free((void *)source.name);
  CHECK_OK(llma_file_map_create(&reader, &map, &error));
  CHECK_OK(llma_file_map_get_info(map, &info, &error));
  CHECK(info.num_members == 1 && info.num_frames == 3);
  CHECK_OK(llma_file_map_get_source_info(map, &source, &error));
  CHECK(strcmp(source.name, "words.txt") == 0);
  CHECK_OK(llma_file_map_get_frame(map, 1, &frame, &error));
  CHECK(frame.content_ofs == kFrameBytes);
  llma_file_map_free(map);
  CHECK_OK(llma_decompress_range(&reader, 5000, 100, options, &sink, &error));
  CHECK(t->size == 100 && memcmp(t->bytes, content + 5000, 100) == 0);
  t->size = 0;
  file[frame.frame_ofs + frame.frame_bytes - 9] ^= 1;
  CHECK_OK(llma_salvage(&reader, options, &sink, &report, &error));
  CHECK(report.num_restored == 2 && report.num_lost == 1);
  CHECK(t->size == kContentBytes - kFrameBytes);
  CHECK(t->num_lost == 1 && t->skipped_bytes == kFrameBytes);
  note(t->bytes, t->size);
  free(t);
}

static void check_inspection(const llma_options *options) {
  static const char words[] = "the model reads the file and writes the bytes";
  llma_inspection *inspection = NULL;
  llma_inspection_info info = LLMA_INIT(llma_inspection_info);
  llma_piece piece = LLMA_INIT(llma_piece);
  llma_alternative other = LLMA_INIT(llma_alternative);
  CHECK_OK(llma_inspect(words, strlen(words), 2, options, &inspection, &error));
  CHECK_OK(llma_inspection_get_info(inspection, &info, &error));
  CHECK(info.num_pieces > 1 && info.content_bytes == strlen(words));
  CHECK_OK(llma_inspection_get_piece(inspection, 1, &piece, &error));
  CHECK(piece.bits > 0 && piece.num_alternatives == 2);
  CHECK_OK(llma_inspection_get_alternative(inspection, 1, 0, &other, &error));
  CHECK(other.size_bytes > 0 && other.probability > 0);
  note_number(info.bits);
  note_number(piece.bits);
  note_number(piece.model_bits);
  note_number(other.probability);
  llma_inspection_free(inspection);
}

/* A file that brings its model along. */
static void check_embedding(llma_options *options) {
  static const char words[] = "the model reads the file and writes the bytes";
  llma_file_map *map = NULL;
  llma_file_info info = LLMA_INIT(llma_file_info);
  llma_embedded_model model = LLMA_INIT(llma_embedded_model);
  llma_reader reader;
  void *file = NULL;
  size_t file_bytes = 0;
  CHECK_OK(llma_options_set(options, LLMA_OPTION_EMBED_MODELS, 1, &error));
  CHECK_OK(
      llma_compress(words, strlen(words), options, &file, &file_bytes, &error));
  CHECK_OK(llma_options_set(options, LLMA_OPTION_EMBED_MODELS, 0, &error));
  note(file, file_bytes);
  reader = llma_memory_reader(file, file_bytes);
  CHECK_OK(llma_file_map_create(&reader, &map, &error));
  CHECK_OK(llma_file_map_get_info(map, &info, &error));
  if (info.num_models > 0) {
    CHECK_OK(llma_file_map_get_model(map, 0, &model, &error));
    CHECK(strcmp(model.name, "tiny") == 0);
  }
  CHECK(llma_file_map_get_model(map, info.num_models, &model, &error) ==
        LLMA_ERROR_USAGE);
  llma_file_map_free(map);
  llma_free(file);
}

/* Of a level that needs no model, so that it is fast. */
static void check_streams(llma_options *options) {
  static char file[kFileBytes];
  llma_source_info source = LLMA_INIT(llma_source_info);
  llma_option_bounds bounds = LLMA_INIT(llma_option_bounds);
  uint64_t level = 0;
  size_t file_bytes;
  source.name = "words.txt";
  source.mode = 0640;
  source.mtime_seconds = 1234567890;
  CHECK_OK(llma_options_set_source_info(options, &source, &error));
  CHECK_OK(llma_options_set(options, LLMA_OPTION_LEVEL, 1, &error));
  CHECK_OK(llma_options_get(options, LLMA_OPTION_LEVEL, &level, &error));
  CHECK(level == 1);
  CHECK_OK(llma_option_get_bounds(LLMA_OPTION_WINDOW, &bounds, &error));
  CHECK(bounds.min == 0 && bounds.max == LLMA_MAX_WINDOW);
  CHECK(bounds.granularity == LLMA_WINDOW_GRANULARITY);
  CHECK_OK(llma_option_get_bounds(LLMA_OPTION_LEVEL, &bounds, &error));
  CHECK(bounds.default_value == LLMA_LEVEL_DEFAULT && bounds.granularity == 1);
  CHECK_OK(
      llma_options_set(options, LLMA_OPTION_FRAME_BYTES, kFrameBytes, &error));
  CHECK_OK(llma_options_set(options, LLMA_OPTION_STATS, 1, &error));
  file_bytes = check_encoder(options, file);
  check_decoder(options, file, file_bytes);
  check_files(options, file, file_bytes);
  CHECK_OK(llma_options_set_source_info(options, NULL, &error));
  check_frames_made_apart(options);
}

static void check_coding(const char *model_path) {
  llma_model *model = NULL, *shared;
  llma_context *context = NULL;
  llma_model_info info = LLMA_INIT(llma_model_info);
  llma_options *options = NULL;
  told *t = calloc(1, sizeof(told));
  if (t == NULL) return;
  CHECK_OK(llma_model_open(model_path, &model, &error));
  CHECK_OK(llma_model_get_info(model, &info, &error));
  CHECK(strcmp(info.path, model_path) == 0 && info.num_tokens > 0);
  CHECK(strcmp(info.adapter, "") == 0 && info.adapter_sha256 != NULL);
  CHECK(llma_model_open_memory(model_path, 5, &shared, &error) != LLMA_OK);
  shared = llma_model_share(model);
  llma_model_free(model);
  t->model = shared;
  CHECK_OK(llma_options_create(&options, &error));
  CHECK_OK(llma_options_set(options, LLMA_OPTION_THREADS, 1, &error));
  CHECK_OK(llma_options_set_kernels(options, "scalar", &error));
  CHECK_OK(llma_options_set_model_finder(options, find_model, t, &error));
  CHECK_OK(llma_options_set_progress(options, on_progress, t, &error));
  CHECK_OK(llma_options_set_frame_callback(options, on_frame, t, &error));
  CHECK_OK(llma_options_set_note(options, on_note, t, &error));
  check_whole_buffers(options);
  check_inspection(options);
  check_embedding(options);
  check_streams(options);
  CHECK(t->num_asked > 0 && t->num_frames > 0 && t->num_progress > 0);
  CHECK(t->num_notes == 0);
  CHECK_OK(llma_options_set_model_finder(options, NULL, NULL, &error));
  CHECK_OK(llma_options_set_model(options, shared, &error));
  check_whole_buffers(options);
  CHECK_OK(llma_context_create(&context, &error));
  CHECK_OK(llma_options_set_context(options, context, &error));
  llma_context_free(context);
  check_whole_buffers(options);
  check_whole_buffers(options);
  CHECK_OK(llma_options_set_reference(options, "every word", 10, &error));
  check_whole_buffers(options);
  check_shared_reference(options);
  CHECK_OK(llma_options_set_reference(options, NULL, 0, &error));
  CHECK(llma_options_set_reference(options, NULL, 1, &error) ==
        LLMA_ERROR_USAGE);
  llma_options_free(options);
  llma_model_free(shared);
  free(t);
}

int main(int argc, char **argv) {
  const char *host = getenv("LLMA_TEST_HOST");
  size_t i;
  if (host != NULL && strcmp(host, "hostile") == 0) make_hostile();
  first_fp_state = fp_state();
  if (argc != 4) {
    fprintf(stderr, "usage: every_function MODEL.llmm MODEL.gguf FOLDER\n");
    return 2;
  }
  for (i = 0; i < kContentBytes; ++i) {
    content[i] = "etaoin shrdlu"[(i * i / 7 + i / 3) % 13];
  }
  setenv("XDG_DATA_HOME", argv[3], 1);
  setenv("LLMA_MODEL_PATH", argv[3], 1);
  check_machine();
  check_level_info(argv[1]);
  check_store(argv[2], argv[3]);
  check_coding(argv[1]);
  if (num_failed == 0) {
    printf("every function did what it says: %016llx\n",
           (unsigned long long)results);
  }
  return num_failed == 0 ? 0 : 1;
}
