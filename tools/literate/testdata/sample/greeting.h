// SPDX-License-Identifier: Apache-2.0
//
// What the sample page shows an excerpt of.

#ifndef TOOLS_LITERATE_TESTDATA_SAMPLE_GREETING_H_
#define TOOLS_LITERATE_TESTDATA_SAMPLE_GREETING_H_

class Greeter {
 public:
  void Greet() { ++greetings_; }

 private:
  int greetings_ = 0;
};

#endif  // TOOLS_LITERATE_TESTDATA_SAMPLE_GREETING_H_
