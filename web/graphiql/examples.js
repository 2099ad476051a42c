// The operations that GraphiQL's tabs hold on a first visit. tests/graph/test_graphiql_examples.py
// checks each against schema.graphql.

const MY_CVS = `# Welcome. This is you and your CVs.
# Run it with the button, or with Ctrl-Enter.
# Keep the id of a CV: other tabs ask for it.

query MyCVs {
  viewer {
    name
    email
    skills
    cvs(first: 5) {
      nodes {
        id
        filename
        status
        language
        skills
      }
    }
  }
}
`;

const RECOMMENDATIONS = `# Jobs that fit you, best first, each with the
# skills you have and those you miss.

query MyRecommendations {
  jobRecommendations(first: 5) {
    nodes {
      score
      reasons
      job {
        posting {
          roleTitle
          companyName
        }
        location
        isRemote
      }
      skillsGap {
        matchedSkills
        missingSkills
        coverage
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

const UPDATE_PROFILE = `# Who you are and what you look for. What is left
# out of the input stays as it is; location and
# prefersRemote can be cleared with null.
#
# Target roles and the remote wish count in
# MyRecommendations.

mutation UpdateProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    viewer {
      name
      language
      location
      prefersRemote
      targetRoles
    }
    errors {
      ... on UserError {
        code
        message
        path
      }
    }
  }
}
`;

const CREATE_CV = `# A CV as text or Markdown: write your own into
# the variables below. It is parsed in the
# background; MyCVs shows when it is PARSED.

mutation CreateCV($input: CreateCVInput!) {
  createCV(input: $input) {
    cv {
      id
      filename
      status
    }
    errors {
      ... on UserError {
        code
        message
        path
      }
    }
  }
}
`;

const CV_TEXT = `# Noa Peretz

Backend developer, Haifa

## Experience
**Backend developer, Tidewater Logistics** (March 2021 - present)
- Built the shipment tracking service in Python with FastAPI and PostgreSQL
- Moved the nightly reports from cron scripts to a queue on Redis

**Junior developer, Municipal Library of Haifa** (2019 - 2021)
- Kept the catalogue's Django site running and wrote its search

## Education
B.Sc. Computer Science, University of Haifa, 2019

## Languages
Hebrew (native), English (fluent)
`;

const SUBMIT = `# Hold a CV against a posting. This answers at
# once with PENDING; a worker does the rest.
#
# Take the id of a CV from the answer of MyCVs
# and put it into the variables below as cvId.
# Then follow the analysis that you get, by its
# own id, in FollowGapAnalysis.

mutation SubmitGapAnalysis($cvId: ID!) {
  submitGapAnalysis(
    input: {
      cvId: $cvId
      language: EN
      jobPosting: {
        companyName: "Harbour Analytics"
        roleTitle: "Senior Backend Engineer"
        description: "We run the platform that ports use to plan berths and cranes. You will own two of its services, from the database to the dashboards on which operators rely at night."
        requirements: [
          "5+ years of Python in production"
          "PostgreSQL, including query tuning on large tables"
          "Kubernetes and Docker"
          "Experience with event streaming, such as Kafka"
          "Mentoring of other engineers"
        ]
        responsibilities: [
          "Design and run services that must not lose data"
          "Take part in the on-call rota and its reviews"
        ]
        niceToHave: ["Terraform", "GraphQL"]
      }
    }
  ) {
    gapAnalysis {
      id
      status
      progressPercent
    }
    errors {
      ... on UserError {
        code
        message
        path
      }
    }
  }
}
`;

const FOLLOW = `# The present state, then each change, until
# the analysis is COMPLETED or FAILED.
#
# id is the one that SubmitGapAnalysis gave.
# With the cursor of the last event seen as
# after, a stream goes on from there.

subscription FollowGapAnalysis($id: ID!, $after: String) {
  gapAnalysisStatus(id: $id, after: $after) {
    cursor
    occurredAt
    isSnapshot
    gapAnalysis {
      status
      progressPercent
      message
      questions {
        question
        impact
        probability
        gapScore
        id
      }
      result {
        metadata {
          engine
          questionsGenerated
          processingTimeSeconds
        }
        resultUrl
        resultExpiresAt
      }
      failure {
        code
        message
        isRetryable
      }
    }
  }
}
`;

const ANSWER = `# Answers to questions of one analysis: all are
# saved, or none. Answering again replaces.
#
# The analysis's id is in SubmitGapAnalysis's
# answer, a question's in FollowGapAnalysis's.

mutation AnswerGapQuestions($input: AnswerGapQuestionsInput!) {
  answerGapQuestions(input: $input) {
    gapAnalysis {
      questions {
        question
        answer {
          text
          answeredAt
        }
      }
    }
    errors {
      ... on UserError {
        code
        message
        path
      }
    }
  }
}
`;

const example = (query, variables) => ({
  query,
  ...(variables && { variables: JSON.stringify(variables, null, 2) }),
});

export const EXAMPLES = [
  example(MY_CVS),
  example(RECOMMENDATIONS),
  example(UPDATE_PROFILE, {
    input: { location: 'Haifa', prefersRemote: true, targetRoles: ['Backend Engineer'] },
  }),
  example(CREATE_CV, { input: { title: 'Noa Peretz, backend', text: CV_TEXT } }),
  example(SUBMIT, { cvId: 'the id of a CV, from MyCVs' }),
  example(FOLLOW, { id: 'the id of a gapAnalysis, from SubmitGapAnalysis' }),
  example(ANSWER, {
    input: {
      gapAnalysisId: 'the id of a gapAnalysis',
      answers: [
        { questionId: 'the id of a question', text: 'Two years, on the shipment service.' },
      ],
    },
  }),
];
