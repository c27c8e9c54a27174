# SPDX-License-Identifier: Apache-2.0
# For Homebrew. From a folder with this repository's source:
#   git archive --prefix=llma-1.0.0/ -o llma-1.0.0.tar.gz HEAD
#   brew install --build-from-source ./misc/llma.rb
# `url` is that archive, as a file or where it is published, and `sha256` its sum
# (shasum -a 256 llma-1.0.0.tar.gz).
class Llma < Formula
  desc "Lossless compressor whose predictor is a language model"
  url "file://#{Pathname(__dir__).parent}/llma-1.0.0.tar.gz"
  version "1.0.0"
  license "Apache-2.0"

  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "nlohmann-json" => :build
  depends_on "xxhash" => :build
  uses_from_macos "curl"
  uses_from_macos "zlib"

  def install
    system "cmake", "-S", ".", "-B", "build", "-G", "Ninja",
           "-DLLMA_TESTS=OFF", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
  end

  test do
    (testpath/"text").write "the model reads a byte and writes a file\n" * 20
    system bin/"llma", "-1", "text"
    assert_equal (testpath/"text").read,
                 shell_output("#{bin}/llma -dc text.llma")
  end
end
