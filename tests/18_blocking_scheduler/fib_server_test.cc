// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 18, with real sockets on 127.0.0.1. Each test is one
// rule, and its name says it. Waiting is bounded, and never decides: a test
// fails because of what came, or because nothing came at all.
//
// That a long computation keeps all clients waiting has no rule: it is the
// price of one thread. Nor has a second FibServer on a port that is taken: the
// code for it is given.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "tests/support/processes.h"

namespace workbook {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long something that should happen at once may take on a busy machine.
// Once something did not happen, the rest of the tests is less patient.
milliseconds patience(5000);

// Waits until `condition` holds. False if it does not, however long one waits.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = steady_clock::now() + patience;
  while (!condition()) {
    if (steady_clock::now() > deadline) {
      patience = milliseconds(500);
      return false;
    }
    usleep(1000);
  }
  return true;
}

// A FibServer in a thread of its own. (It is one thread; the tests are others.)
class Server {
 public:
  Server() : state_(std::make_shared<State>()) {
    thread_ = std::thread([state = state_] {
      state->tid = gettid();
      try {
        state->server.Run();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "Run() threw: %s\n", error.what());
      }
      state->ended = true;
    });
  }
  ~Server() { Stop(); }

  int port() const { return state_->server.port(); }
  int polls() const { return state_->server.polls(); }
  bool ended() const { return state_->ended; }
  pthread_t handle() { return thread_.native_handle(); }

  // Waits until the server has nothing left to do.
  bool Sleeps() const {
    return Eventually([&] {
             return ended() ||
                    (polls() > 0 && support::IsSleeping(state_->tid));
           }) &&
           !ended();
  }

  // True if Run() returns.
  bool Stop() {
    if (!thread_.joinable()) return true;
    state_->server.Stop();
    if (Eventually([&] { return ended(); })) {
      thread_.join();
      return true;
    }
    thread_.detach();  // It keeps the state alive.
    return false;
  }

 private:
  struct State {
    FibServer server;
    std::atomic<pid_t> tid{0};
    std::atomic<bool> ended{false};
  };

  std::shared_ptr<State> state_;
  std::thread thread_;
};

class Client {
 public:
  // A small receive buffer makes a client that soon has to read.
  explicit Client(const Server& server, int receive_buffer = 0)
      : server_(server),
        socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;  // Each Send() is a packet.
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (receive_buffer > 0) {
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                 sizeof(receive_buffer));
    }
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)!connect(socket_, reinterpret_cast<sockaddr*>(&address),
                   sizeof(address));
  }
  ~Client() { Close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view text) {
    (void)!send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  void FinishSending() { shutdown(socket_, SHUT_WR); }
  void Close() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  // Closes like a program that crashed: the other side gets an error.
  void Reset() {
    const linger now = {1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    Close();
  }

  // The next line, without its end, or what happened instead.
  std::string ReadLine() {
    size_t end;
    while ((end = text_.find('\n', read_)) == std::string::npos) {
      pollfd readable = {socket_, POLLIN, 0};
      if (!Eventually(
              [&] { return poll(&readable, 1, 20) > 0 || server_.ended(); })) {
        return "(nothing)";
      }
      char buffer[4096];
      const ssize_t n = recv(socket_, buffer, sizeof(buffer), MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) return "(nothing; Run() has returned)";
      if (n <= 0) return "(closed)";
      text_.append(buffer, n);
    }
    const std::string line = text_.substr(read_, end - read_);
    read_ = end + 1;
    return line;
  }

  std::string Ask(const std::string& request) {
    Send(request + "\n");
    return ReadLine();
  }

 private:
  const Server& server_;
  int socket_;
  std::string text_;
  size_t read_ = 0;  // Before it, text_ has been returned.
};

constexpr char kBadRequest[] = "error: not a number from 1 to 92";
constexpr char kFib92[] = "7540113804746346429";

std::string Repeat(const char* text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

// --- The event loop --------------------------------------------------------

// Calls Run(). False if it had to be stopped.
bool RunEnds(EventLoop& loop) {
  std::atomic<bool> ended{false};
  bool by_itself = false;
  std::thread watchdog([&] {
    by_itself = Eventually([&] { return ended.load(); });
    if (!by_itself) loop.Stop();
  });
  loop.Run();
  ended = true;
  watchdog.join();
  return by_itself;
}

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) abort();
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
  }
  Descriptor reader, writer;
};

Task Reads(EventLoop& loop, int fd, std::string& log) {
  log += "wait ";
  co_await loop.Readable(fd);
  char byte = '?';
  if (read(fd, &byte, 1) == 1) log += std::string("read ") + byte + " ";
}

Task Writes(EventLoop& loop, int fd, char byte, std::string& log) {
  co_await loop.Writable(fd);
  log += "write ";
  (void)!write(fd, &byte, 1);
}

TEST(EventLoop, WithoutTasksRunReturnsAtOnce) {
  EventLoop loop;
  EXPECT_TRUE(RunEnds(loop));
  EXPECT_EQ(loop.polls(), 0) << "there is nothing to wait for";
}

TEST(EventLoop, ATaskWaitsUntilItsDescriptorIsReady) {
  EventLoop loop;
  Pipe pipe;
  std::string log;
  loop.Spawn(Reads(loop, pipe.reader.get(), log));
  loop.Spawn(Writes(loop, pipe.writer.get(), 'a', log));
  EXPECT_TRUE(RunEnds(loop)) << "both tasks should have ended";
  EXPECT_EQ(log, "wait write read a ");
}

TEST(EventLoop, TwoTasksMayWaitForTheSameDescriptor) {
  EventLoop loop;
  Pipe pipe;
  std::string log;
  loop.Spawn(Reads(loop, pipe.reader.get(), log));
  loop.Spawn(Reads(loop, pipe.reader.get(), log));
  (void)!write(pipe.writer.get(), "ab", 2);
  EXPECT_TRUE(RunEnds(loop)) << "one of the two was forgotten";
  EXPECT_EQ(log, "wait wait read a read b ");
}

Task Throws(EventLoop& loop, int fd, int what) {
  co_await loop.Writable(fd);
  if (what == 0) throw std::runtime_error("this task has had enough");
  throw what;
}

TEST(EventLoop, AnExceptionEndsItsTaskAlone) {
  EventLoop loop;
  Pipe pipe;
  std::string log;
  loop.Spawn(Reads(loop, pipe.reader.get(), log));
  loop.Spawn(Throws(loop, pipe.writer.get(), 0));
  loop.Spawn(Throws(loop, pipe.writer.get(), 1));
  loop.Spawn(Writes(loop, pipe.writer.get(), 'a', log));
  EXPECT_TRUE(RunEnds(loop));
  EXPECT_EQ(log, "wait write read a ");
}

TEST(EventLoop, ADescriptorAbove1024IsOneLikeAnother) {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 2000) GTEST_SKIP() << "descriptors are too few here";
  if (limit.rlim_cur < 2000) {
    limit.rlim_cur = 2000;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  EventLoop loop;
  Pipe pipe;
  const Descriptor high(fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 1500));
  ASSERT_GE(high.get(), 1500);
  std::string log;
  loop.Spawn(Reads(loop, high.get(), log));
  loop.Spawn(Writes(loop, pipe.writer.get(), 'a', log));
  EXPECT_TRUE(RunEnds(loop));
  EXPECT_EQ(log, "wait write read a ");
}

TEST(EventLoop, AStopBeforeRunIsNotForgotten) {
  EventLoop loop;
  Pipe pipe;
  std::string log;
  loop.Spawn(Reads(loop, pipe.reader.get(), log));
  loop.Stop();
  EXPECT_TRUE(RunEnds(loop)) << "it was stopped before it began";
}

// --- The server ------------------------------------------------------------

TEST(FibServer, ItAnswersOneRequestAfterAnother) {
  Server server;
  Client client(server);
  EXPECT_EQ(client.Ask("20"), "6765");
  EXPECT_EQ(client.Ask("10"), "55");
  EXPECT_EQ(client.Ask("92"), kFib92);
}

TEST(FibServer, ARequestInTwoPacketsIsOneRequest) {
  Server server;
  Client client(server);
  EXPECT_EQ(client.Ask("3"), "2");
  ASSERT_TRUE(server.Sleeps());
  const int polls = server.polls();
  client.Send("1");
  // The server reads it, and polls again.
  EXPECT_TRUE(Eventually([&] { return server.polls() > polls; }));
  client.Send("0\n");
  EXPECT_EQ(client.ReadLine(), "55") << "\"1\" and \"0\\n\" are one request";
}

TEST(FibServer, TwoRequestsInOnePacketAreTwo) {
  Server server;
  Client client(server);
  client.Send("20\n10\n");
  EXPECT_EQ(client.ReadLine(), "6765");
  EXPECT_EQ(client.ReadLine(), "55");
}

TEST(FibServer, AnIdleClientDelaysNobody) {
  Server server;
  Client idle(server);
  Client busy(server), third(server);
  EXPECT_EQ(busy.Ask("20"), "6765") << "the first client says nothing";
  EXPECT_EQ(third.Ask("10"), "55");
  EXPECT_EQ(idle.Ask("3"), "2");
}

TEST(FibServer, ABadRequestIsAnsweredWithAnError) {
  Server server;
  Client client(server);
  for (const char* request :
       {"abc", "", "0", "-1", "93", "99999999999999999999", "1x"}) {
    EXPECT_EQ(client.Ask(request), kBadRequest) << "request: " << request;
  }
  EXPECT_EQ(client.Ask("10"), "55") << "the connection goes on";
}

TEST(FibServer, ALineWithoutEndClosesTheConnection) {
  Server server;
  Client endless(server);
  endless.Send(std::string(10'000, '1'));
  EXPECT_EQ(endless.ReadLine(), "(closed)");
  EXPECT_EQ(Client(server).Ask("10"), "55") << "the others are still served";
}

TEST(FibServer, AClientThatStopsSendingGetsItsReply) {
  Server server;
  Client client(server);
  client.Send("20\n1");
  client.FinishSending();
  EXPECT_EQ(client.ReadLine(), "6765");
  EXPECT_EQ(client.ReadLine(), "(closed)")
      << "a last line without its end is no request";
}

// The server waits for room when the client ends its stream and then is gone:
// the next send() fails with EPIPE, and raises SIGPIPE unless told not to. Five
// times, because the client cannot know for certain what the server waits for.
TEST(FibServer, AClientThatIsGoneDoesNotEndTheServer) {
  Server server;
  for (int i = 0; i < 5; ++i) {
    Client client(server, /*receive_buffer=*/4096);
    EXPECT_EQ(client.Ask("20"), "6765");
    client.Send(Repeat("92\n", 20'000));
    EXPECT_EQ(client.ReadLine(), kFib92);
    ASSERT_TRUE(server.Sleeps());
    client.FinishSending();
    client.Reset();
  }
  EXPECT_EQ(Client(server).Ask("10"), "55");
}

// Takes one client away from whoever else waits for it.
Task TakesOne(EventLoop& loop, int listener) {
  co_await loop.Readable(listener);
  const Descriptor client(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
}

Descriptor Connect(int port) {
  Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  (void)!connect(client.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address));
  return client;
}

// A client that is turned away, and another that is served.
Task ConnectsTwice(EventLoop& loop, int port, std::string& log) {
  const Descriptor first = Connect(port);
  co_await loop.Readable(first.get());
  char buffer[100];
  if (recv(first.get(), buffer, sizeof(buffer), 0) == 0) log += "gone ";
  const Descriptor second = Connect(port);
  (void)!send(second.get(), "10\n", 3, MSG_NOSIGNAL);
  co_await loop.Readable(second.get());
  const ssize_t n = recv(second.get(), buffer, sizeof(buffer), 0);
  if (n > 0) log.append(buffer, n);
  loop.Stop();
}

// poll() reports a client to two tasks, and the other one is faster.
TEST(FibServer, AClientGoneBeforeItIsAcceptedDoesNotEndTheServer) {
  EventLoop loop;
  Descriptor listener = Listen(0);
  const Descriptor same(fcntl(listener.get(), F_DUPFD_CLOEXEC, 0));
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  getsockname(same.get(), reinterpret_cast<sockaddr*>(&address), &size);
  std::string log;
  loop.Spawn(TakesOne(loop, same.get()));
  loop.Spawn(Accept(loop, std::move(listener)));
  loop.Spawn(ConnectsTwice(loop, ntohs(address.sin_port), log));
  EXPECT_TRUE(RunEnds(loop)) << "the second client was not served";
  EXPECT_EQ(log, "gone 55\n");
}

TEST(FibServer, ASlowReaderGetsEverythingAndDelaysNobody) {
  Server server;
  Client slow(server, /*receive_buffer=*/4096);
  constexpr int kRequests = 20'000;
  slow.Send(Repeat("92\n", kRequests));
  EXPECT_EQ(Client(server).Ask("20"), "6765")
      << "the server waits for a client that does not read";
  int right = 0;
  for (int i = 0; i < kRequests; ++i) {
    if (slow.ReadLine() != kFib92) break;
    ++right;
  }
  EXPECT_EQ(right, kRequests) << "so many replies arrived whole";
}

TEST(FibServer, AnIdleServerSleeps) {
  Server server;
  Client client(server), other(server);
  EXPECT_EQ(client.Ask("20"), "6765");
  EXPECT_EQ(other.Ask("20"), "6765");
  EXPECT_TRUE(server.Sleeps()) << "nothing is to do, and the thread is busy";
  const int before = server.polls();
  EXPECT_EQ(client.Ask("10"), "55");
  EXPECT_TRUE(server.Sleeps());
  EXPECT_LE(server.polls() - before, 5) << "calls of poll() for one request";
}

TEST(FibServer, ASignalDoesNotEndTheWait) {
  struct sigaction action = {}, old;
  static std::atomic<int> received;
  received = 0;
  action.sa_handler = [](int) { ++received; };
  sigaction(SIGUSR1, &action, &old);  // Without SA_RESTART: EINTR.
  {
    Server server;
    Client client(server);
    EXPECT_EQ(client.Ask("20"), "6765");
    ASSERT_TRUE(server.Sleeps());
    pthread_kill(server.handle(), SIGUSR1);
    EXPECT_TRUE(Eventually([&] { return received == 1; }));
    EXPECT_EQ(client.Ask("10"), "55");
  }
  sigaction(SIGUSR1, &old, nullptr);
}

TEST(FibServer, ADescriptorIsClosedWhenItsClientIsGone) {
  Server server;
  ASSERT_TRUE(server.Sleeps());
  const size_t before = support::OpenDescriptors().size();
  for (int i = 0; i < 10; ++i) {
    Client(server).Close();  // Comes and goes without a word.
    EXPECT_EQ(Client(server).Ask("10"), "55");
  }
  EXPECT_TRUE(Eventually([&] {
    return support::OpenDescriptors().size() == before;
  })) << support::OpenDescriptors().size()
      << " descriptors are open; before the clients came: " << before;
}

TEST(FibServer, ClientsNeedNoThreads) {
  Server server;
  Client first(server);
  EXPECT_EQ(first.Ask("10"), "55");
  const auto threads = [] {
    int number = 0;
    FILE* status = fopen("/proc/self/status", "re");
    char line[256];
    while (fgets(line, sizeof(line), status) != nullptr) {
      if (sscanf(line, "Threads: %d", &number) == 1) break;
    }
    fclose(status);
    return number;
  };
  const int before = threads();
  Client second(server), third(server);
  EXPECT_EQ(second.Ask("10"), "55");
  EXPECT_EQ(third.Ask("10"), "55");
  EXPECT_EQ(threads(), before) << "two more clients, and more threads";
}

TEST(FibServer, StopEndsTheLoopAndTheConnections) {
  const auto before = support::OpenDescriptors();
  {
    Server server;
    Client client(server), other(server);
    EXPECT_EQ(client.Ask("10"), "55");
    ASSERT_TRUE(server.Sleeps());
    EXPECT_TRUE(server.Stop()) << "Run() sleeps on after Stop()";
    EXPECT_EQ(client.ReadLine(), "(closed)");
  }
  EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "");
}

// --- Somebody else's client ------------------------------------------------

// What a shell script writes to standard output.
std::string Shell(const std::string& script) {
  FILE* shell = popen(("bash -c '" + script + "'").c_str(), "re");
  std::string out;
  for (int c; shell != nullptr && (c = fgetc(shell)) != EOF;) {
    out += static_cast<char>(c);
  }
  if (shell != nullptr) pclose(shell);
  return out;
}

TEST(RealClient, NcIsServed) {
  if (Shell("command -v nc") == "") GTEST_SKIP() << "there is no nc here";
  Server server;
  ASSERT_TRUE(server.Sleeps());
  EXPECT_EQ(Shell("printf \"20\\n10\\n\" | nc -w 2 127.0.0.1 " +
                  std::to_string(server.port())),
            "6765\n55\n");
}

TEST(RealClient, BashIsServed) {
  if (Shell("echo yes") == "") GTEST_SKIP() << "there is no bash here";
  Server server;
  ASSERT_TRUE(server.Sleeps());
  EXPECT_EQ(
      Shell("exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(server.port()) +
            "; echo 20 >&3; read -t 5 a <&3; echo 10 >&3;"
            " read -t 5 b <&3; echo $a $b"),
      "6765 55\n");
}

}  // namespace
}  // namespace workbook
