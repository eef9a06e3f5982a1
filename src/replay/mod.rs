//! Replays a trace in time order and scores predictions beside their rivals.
